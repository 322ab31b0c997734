import pytest
import redis
from django.conf import settings

from tests.deliveries.sending.certificates import authority
from tests.deliveries.sending.clock import Clock
from tests.smtp_sink import WITHOUT_CHUNKING, WITHOUT_PIPELINING, SinkThread, smtp_sink
from tests.token_server import tokens

__all__ = ["authority", "smtp_sink", "tokens"]


@pytest.fixture
def clock() -> Clock:
    """Of whoever is given one."""
    return Clock()


@pytest.fixture(params=["chunking", "pipelining", "one by one"])
def sink(request: pytest.FixtureRequest, smtp_sink: SinkThread) -> SinkThread:
    """A sink with BDAT, with DATA in a pipeline, and with each command on its own: what must hold holds in all."""
    if request.param == "pipelining":
        smtp_sink.sink.script.extensions = WITHOUT_CHUNKING
    if request.param == "one by one":
        smtp_sink.sink.script.extensions = WITHOUT_PIPELINING
    return smtp_sink


@pytest.fixture
def client() -> "redis.Redis":
    """The Redis that keeps the turns."""
    return redis.Redis.from_url(settings.REDIS_URL)
