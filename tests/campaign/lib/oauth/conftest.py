from tests.deliveries.sending.certificates import authority
from tests.token_server import tokens

__all__ = ["authority", "tokens"]
