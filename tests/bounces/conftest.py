from collections.abc import Iterator

import pytest

from deliveries.rows import renderer


@pytest.fixture(autouse=True)
def fresh_renderers() -> Iterator[None]:
    """What a process keeps (renderers by content id) must not outlive a test's rolled-back rows."""
    renderer.cache_clear()
    yield
    renderer.cache_clear()
