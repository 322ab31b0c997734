"""What the words of a server mean for an address: failure type and reason, by ordered rules. PURE."""

from bounces.qualification.rules import DEFAULTS, Rule, RuleError, Rules
from bounces.qualification.verdicts import judge, qualify

__all__ = ["DEFAULTS", "Rule", "RuleError", "Rules", "judge", "qualify"]
