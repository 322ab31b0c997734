from tests.bounces.sources.providers import amazon, configured
from tests.bounces.sources.ways import make, way
from tests.deliveries.sending.certificates import authority
from tests.dovecot import dovecot
from tests.token_server import tokens

__all__ = ["amazon", "authority", "configured", "dovecot", "make", "tokens", "way"]
