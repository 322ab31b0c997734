"""Recipients as the delivery pages need them: found by address, with the values that a content uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Value
from django.http import HttpRequest

from deliveries.analysis.target import first_of
from deliveries.models import Delivery
from recipients import addresses
from recipients.models import BUILT_IN_FIELDS, PeopleFileLine, Recipient
from recipients.queries.definition import QueryProblem

MOST_FOUND = 200
"""Recipients that a search by the beginning of an address takes into account."""


def typed_address(request: HttpRequest) -> str:
    """What somebody looks for, as they typed it, cut to the length of an address."""
    return request.GET.get("address", "").replace("\x00", "").strip()[:320]


def search_key(text: str) -> str:
    """The key that ``text``, an address or the beginning of one, is looked up by."""
    try:
        return addresses.key(text)
    except ValueError:
        return text.strip().casefold()


def ids_by_address(text: str) -> list[int]:
    """Recipients whose address is ``text``, else those whose address begins with it (the key's index serves both)."""
    key = search_key(text)
    exact = list(Recipient.objects.filter(address_key=key).values_list("pk", flat=True))
    return exact or list(
        Recipient.objects.filter(address_key__startswith=key)
        .order_by("address_key")
        .values_list("pk", flat=True)[:MOST_FOUND]
    )


def find_in_target(delivery: Delivery, address: str) -> Recipient | None:
    """The recipient with this address (or its beginning); without an address the first one of the target."""
    if address:
        return Recipient.objects.filter(pk__in=ids_by_address(address)[:1]).first()
    try:
        found = first_of(delivery)
    except QueryProblem:
        return None
    return Recipient.objects.filter(pk=found).first() if found else None


def values_of(delivery: Delivery, recipient: Recipient, paths: Sequence[str]) -> list[Any]:
    """The values of the fields of recipient and file, by path, as an analysis freezes them."""
    lines = PeopleFileLine.objects.filter(file_id=delivery.target_file_id, recipient=recipient).order_by("-pk")
    line = (lines.values_list("values", flat=True).first() or {}) if delivery.target_file_id else {}
    return [_value(recipient, line, path) for path in paths]


def _value(recipient: Recipient, line: dict[str, Any], path: str) -> Any:
    root, _, name = path.partition(".")
    if root == "file":
        return line.get(name)
    if name in BUILT_IN_FIELDS:
        return getattr(recipient, name)
    return recipient.attributes.get(name)


@dataclass(frozen=True, slots=True)
class Target:
    """The names of what makes up a delivery's target."""

    lists: list[str]
    queries: list[str]
    file: str
    excluded: list[str]

    @property
    def is_chosen(self) -> bool:
        """Something says who gets the delivery."""
        return bool(self.lists or self.queries or self.file)


def target_of(delivery: Delivery) -> Target:
    """The parts of the target by name, in one query."""
    parts = {
        "lists": delivery.target_lists,
        "queries": delivery.target_queries,
        "excluded lists": delivery.excluded_lists,
        "excluded queries": delivery.excluded_queries,
    }
    first, *others = (chosen.order_by().values_list(Value(part), "name") for part, chosen in parts.items())
    names: dict[str, list[str]] = {part: [] for part in parts}
    for part, name in sorted(first.union(*others, all=True)):
        names[part].append(name)
    return Target(
        lists=names["lists"],
        queries=names["queries"],
        file=delivery.target_file.file_name if delivery.target_file else "",
        excluded=names["excluded lists"] + names["excluded queries"],
    )
