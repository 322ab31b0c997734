from tests.deliveries.sending.certificates import authority
from tests.dovecot import dovecot
from tests.people import at_colleague, at_marketer, at_outsider, colleague, marketer, outsider

__all__ = ["at_colleague", "at_marketer", "at_outsider", "authority", "colleague", "dovecot", "marketer", "outsider"]
