from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.signals import request_started
from django.db import close_old_connections

from tests.deliveries.conftest import fresh_process
from tracking import answers, known
from tracking.buffer import MARK, STREAM, WRITTEN, Buffer

__all__ = ["fresh_process"]


@pytest.fixture
def stream() -> Iterator[redis.Redis]:
    """Redis, with no hits waiting."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete(STREAM, MARK, WRITTEN)
    yield client
    client.delete(STREAM, MARK, WRITTEN)


@pytest.fixture(autouse=True)
def buffer(monkeypatch: pytest.MonkeyPatch) -> Buffer:
    """A web process that has seen nothing yet, and whose hits are sent on when the test says so."""
    buffer = Buffer()
    monkeypatch.setattr(buffer, "_begin", lambda: None)
    monkeypatch.setattr(answers, "this_process", buffer)
    known.forget()
    return buffer


@pytest.fixture(autouse=True)
def same_connection() -> Iterator[None]:
    """Django closes its connection before a request, and with it the test's transaction; its own client does the same
    as this."""
    request_started.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)


@pytest.fixture
def environ() -> dict[str, Any]:
    """A request of a person's browser."""
    return {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": "203.0.113.7",
        "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    }
