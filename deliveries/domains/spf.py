"""SPF records (RFC 7208): what would make a verifier give up on one, or let everybody pass."""

import re
from dataclasses import dataclass, field

from deliveries.domains.lookup import Lookup

MAX_LOOKUPS = 10
"""Section 4.6.4: a record that needs more is an error."""

MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})
_COSTLY = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
_TERM = re.compile(r"([+?~-]?)([a-z][a-z0-9_.-]*)(?:([:=/])(.*))?")
_EXAMPLE = 'Publish a TXT record that names your relay, such as "v=spf1 mx ip4:192.0.2.25 -all".'


class _Broken(Exception):
    """The record cannot be evaluated; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class _Term:
    """A mechanism (``-all``, ``include:example.net``) or, with ``=``, a modifier (``redirect=example.net``)."""

    qualifier: str
    name: str
    value: str
    is_modifier: bool


def problem(domain: str, lookup: Lookup) -> str:
    """A sentence about the first thing to mend, empty when all is well.

    Raises :class:`deliveries.domains.lookup.LookupFailed`.
    """
    records = _records(domain, lookup)
    if not records:
        return f"There is no record: nobody can tell your servers from a forger's. {_EXAMPLE}"
    try:
        _Evaluation(lookup).walk(domain, ())
        return _openness(_terms(domain, records[0]))
    except _Broken as broken:
        return str(broken)


def _records(domain: str, lookup: Lookup) -> list[str]:
    return [text for text in lookup.txt(domain) if text.lower().partition(" ")[0] == "v=spf1"]


def _terms(domain: str, record: str) -> list[_Term]:
    terms = []
    for word in record.lower().split()[1:]:
        match = _TERM.fullmatch(word)
        if match is None or (match[3] != "=" and match[2] not in MECHANISMS):
            raise _Broken(f"“{word}” in the SPF record of {domain} means nothing. Correct its spelling.")
        terms.append(_Term(match[1] or "+", match[2], match[4] or "", is_modifier=match[3] == "="))
    return terms


@dataclass
class _Evaluation:
    """The lookups that a verifier would make for one mail, counted."""

    lookup: Lookup
    lookups: int = field(default=0)

    def walk(self, domain: str, path: tuple[str, ...]) -> None:
        """Go through a domain's record and those it includes. Raises :class:`_Broken`."""
        records = _records(domain, self.lookup)
        if len(records) > 1:
            raise _Broken(f"{domain} has {len(records)} SPF records, so none counts. Leave one.")
        if not records:
            raise _Broken(f"The record includes {domain}, which has no SPF record. Remove or correct it.")
        if domain in path:
            raise _Broken(f"The record of {domain} includes itself. Remove the loop.")
        for term in _terms(domain, records[0]):
            if term.name not in _COSTLY:
                continue
            self.lookups += 1
            if self.lookups > MAX_LOOKUPS:
                raise _Broken(
                    f"The record needs more than the {MAX_LOOKUPS} DNS lookups that are allowed. Include less, or "
                    "write ip4 and ip6 instead."
                )
            # What holds a macro depends on the mail.
            if term.name in {"include", "redirect"} and "%" not in term.value:
                self.walk(term.value.rstrip("."), (*path, domain))


def _openness(terms: list[_Term]) -> str:
    qualifier = next((term.qualifier for term in terms if term.name == "all"), None)
    if qualifier is None and any(term.name == "redirect" for term in terms):
        return ""
    if qualifier in {None, "?"}:
        return "The record says nothing about other senders. End it with -all (refuse) or ~all (suspect)."
    if qualifier == "+":
        return "The record ends with +all: everybody may send in your name. End it with -all or ~all."
    return ""
