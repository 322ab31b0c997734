"""The same rules for what a server answers in our own transactions. PURE."""

from bounces.parsing.codes import enhanced
from bounces.qualification.rules import DEFAULTS, Rules
from bounces.qualification.status import says_enough
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.verdict import FailureType, Verdict, by_code


def by_rules(reply: Reply, rules: Rules = DEFAULTS) -> Verdict:
    """The verdict on a refusal: by the first rule its text matches, else by its codes.

    What is refused at MAIL or decided here is no fault of the address, whatever the words; a temporary refusal is never
    hard. Raises ValueError for a reply that accepted the message.
    """
    by_codes = by_code(reply)
    if reply.stage in (Stage.LOCAL, Stage.MAIL):
        return by_codes
    rule = rules.find(f"{reply.code} {reply.text}")
    if rule is None or (rule.general and says_enough(enhanced(reply.text))):
        return by_codes
    kind = FailureType.SOFT if rule.type is FailureType.HARD and reply.temporary else rule.type
    return Verdict(kind, rule.reason, rule.name)
