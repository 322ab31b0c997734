from collections.abc import Iterator

import pytest

from bounces import rules
from tests.deliveries.conftest import fresh_process, worker
from tests.smtp_sink import smtp_sink

__all__ = ["fresh_process", "smtp_sink", "worker"]


@pytest.fixture(autouse=True)
def fresh_rules() -> Iterator[None]:
    """Rules that a test changed are forgotten with it."""
    rules.forget()
    yield
    rules.forget()
