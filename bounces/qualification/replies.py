"""The same rules for what a server answers in our own transactions. PURE."""

from bounces.parsing.codes import enhanced
from bounces.qualification.rules import DEFAULTS
from bounces.qualification.status import by_status, is_weak
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.verdict import FailureType, Verdict, by_code


def by_rules(reply: Reply) -> Verdict:
    """The verdict on a refusal: by the first rule its text matches, else by its codes.

    What is refused at MAIL or decided here is no fault of the address, whatever the words; a temporary refusal is never
    hard. Raises ValueError for a reply that accepted the message.
    """
    by_codes = by_code(reply)
    if reply.stage in (Stage.LOCAL, Stage.MAIL):
        return by_codes
    rule = DEFAULTS.find(f"{reply.code} {reply.text}")
    if rule is None or (rule.general and _says_something(enhanced(reply.text))):
        return by_codes
    kind = FailureType.SOFT if rule.type is FailureType.HARD and reply.temporary else rule.type
    return Verdict(kind, rule.reason, rule.name)


def _says_something(status: str) -> bool:
    return by_status(status) is not None and not is_weak(status)
