from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """What a process keeps (renderers by content id) must not outlive a test's rolled-back rows."""
    renderer.cache_clear()
    yield
    renderer.cache_clear()
