from tests.deliveries.sending.certificates import authority
from tests.smtp_sink import smtp_sink

__all__ = ["authority", "smtp_sink"]
