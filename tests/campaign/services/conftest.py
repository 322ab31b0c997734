import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.services.clients import Clients, wait_until


@pytest.fixture
def clients() -> Iterator[Clients]:
    with tempfile.TemporaryDirectory(prefix="services-") as folder:
        clients = Clients(Path(folder) / "test")
        clients.var_dir.mkdir()
        yield clients
        for process in clients.processes:
            process.kill()
            process.communicate()
        wait_until(lambda: not clients.servers())
