from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings

from deliveries.rows import renderer
from deliveries.sending.worker import Worker
from tests.smtp_sink import smtp_sink

__all__ = ["smtp_sink"]


@pytest.fixture
def worker(tmp_path: Path, settings) -> Iterator[Worker]:
    """A sending process with a journal folder of its own."""
    settings.VAR_DIR = tmp_path
    worker = Worker(tmp_path / "journals")
    yield worker
    worker.close()


def forget_rates() -> None:
    """Nobody has taken a turn, and no domain is slow."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete("throttle:slowed", *client.keys("throttle:*"))
    client.set("throttle:mark", 1)


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """What a process keeps (renderers by content id) must not outlive a test's rolled-back rows."""
    renderer.cache_clear()
    forget_rates()
    yield
    renderer.cache_clear()
