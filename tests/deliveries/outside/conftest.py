"""Servers of strangers."""

from collections.abc import Iterator

import pytest

from tests.deliveries.outside.web_server import WebServer, running


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server on the loopback."""
    with running() as server:
        yield server
