from tests.bounces.sources.providers import amazon, configured
from tests.bounces.sources.ways import make, way
from tests.deliveries.sending.certificates import authority
from tests.dovecot import dovecot

__all__ = ["amazon", "authority", "configured", "dovecot", "make", "way"]
