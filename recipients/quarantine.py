"""Addresses that fail: counted, put in quarantine, released, allowed whatever happens.

Every way in ends in :func:`note`, whether a server refused in the dialogue or returned a mail, and whether one address
is concerned or a batch of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from campaign.lib.clock import now
from campaign.lib.sql import statements
from recipients.addresses import AddressError, key
from recipients.models import Quarantine, QuarantinePolicy, QuarantineStatus

SQL = statements(Path(__file__).parent / "sql")

MAX_TEXT_CHARACTERS: Final = 2_000
FULL: Final = "Mailbox full"
"""The reason whose errors are forgotten later than others."""
OUTAGE_WINDOW: Final = timedelta(days=2)
"""Addresses of a domain that failed within this time make an outage together."""

_WRITTEN: Final = (
    "id", "status", "errors", "errors_since", "last_error_at", "returned", "reason", "text", "rule", "delivery_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AddressFailure:
    """One failure of one address."""

    address: str
    is_hard: bool
    reason: str
    text: str
    at: datetime
    rule: str = ""
    """Name of the rule that decided."""
    delivery_id: int | None = None
    is_returned: bool = False
    """A mail came back after the server had taken the message; else it refused in the dialogue."""
    is_of_server: bool = False
    """The reason lies with the server rather than with the mailbox, as in an outage."""


def note(failures: Iterable[AddressFailure]) -> None:
    """Count these failures against their addresses, in one transaction: a hard one puts its address in quarantine, a
    soft one when it is one too many. Noting a failure again changes nothing.

    An address that is held back or allowed by a person stays so. What is no address is left out.
    """
    by_key: dict[str, list[AddressFailure]] = {}
    for failure in failures:
        try:
            by_key.setdefault(key(failure.address), []).append(failure)
        except AddressError:
            continue
    if not by_key:
        return
    policy = QuarantinePolicy.objects.current()
    with transaction.atomic(savepoint=False):
        records = _locked(sorted(by_key))
        counted = []
        for record in records:
            failures_of_it = sorted(by_key[record.address_key], key=lambda each: each.at)
            if sum(_count(record, failure, policy) for failure in failures_of_it):
                counted.append(record)
        _save(counted)


def complained(address: str, *, text: str, at: datetime, delivery_id: int | None = None, rule: str = "") -> None:
    """Nothing goes to this address any more: its owner called a message unwanted. Raises :class:`AddressError`."""
    with transaction.atomic():
        (record,) = _locked([key(address)])
        record.status = QuarantineStatus.DENYLISTED
        record.last_error_at = max(filter(None, (record.last_error_at, at)))
        record.reason, record.text, record.rule = "Complaint", text[:MAX_TEXT_CHARACTERS], rule
        record.delivery_id = delivery_id
        _save([record])


def add(address: str, *, reason: str, text: str = "") -> Quarantine:
    """Put an address in quarantine, in whatever case it is written. Raises :class:`AddressError`."""
    with transaction.atomic():
        (record,) = _locked([key(address)])
        record.status = QuarantineStatus.QUARANTINE
        record.reason, record.text = reason[:100], text[:MAX_TEXT_CHARACTERS]
        _save([record])
    return record


def release(records: QuerySet[Quarantine]) -> int:
    """Allow addresses again and forget their errors; the records stay as history. Returns how many."""
    return _update(records, status=QuarantineStatus.VALID, errors=0, errors_since=None, returned=False)


def held_by(
    domain: str = "", rule: str = "", reason: str = "", *, since: datetime, until: datetime
) -> QuerySet[Quarantine]:
    """Addresses that errors put in quarantine in this period: at a domain, by a rule, for a reason; empty for any."""
    wanted = {"domain": domain.strip().lower(), "rule": rule, "reason": reason}
    return Quarantine.objects.filter(
        status=QuarantineStatus.QUARANTINE,
        last_error_at__gte=since,
        last_error_at__lt=until,
        **{name: value for name, value in wanted.items() if value},
    )


def allow_always(records: QuerySet[Quarantine]) -> int:
    """Write to these addresses whatever their servers answer. Returns how many."""
    return _update(records, status=QuarantineStatus.ALLOWLISTED, errors=0, errors_since=None, returned=False)


def explain(addresses: Iterable[str], reason: str, rule: str) -> None:
    """What no rule knew has a reason now: say so where the last error of these addresses was such."""
    _update(_unexplained(addresses), reason=reason[:100], rule=rule[:100])


def take_back(addresses: Iterable[str]) -> None:
    """The last error of these addresses, which no rule knew, was none: count one less, and release whom it held."""
    tolerated = QuarantinePolicy.objects.current().tolerated_errors
    with transaction.atomic():
        records = list(_unexplained(addresses).select_for_update().order_by("address_key"))
        for record in records:
            record.errors = max(record.errors - 1, 0)
            if not record.errors:
                record.status, record.errors_since = QuarantineStatus.VALID, None
            elif record.errors <= tolerated:
                record.status = QuarantineStatus.WITH_ERRORS
        _save(records)


def _unexplained(addresses: Iterable[str]) -> QuerySet[Quarantine]:
    counted = (QuarantineStatus.WITH_ERRORS, QuarantineStatus.QUARANTINE)
    return Quarantine.objects.filter(address_key__in=keys_of(addresses), status__in=counted, rule="").exclude(errors=0)


def keys_of(addresses: Iterable[str]) -> list[str]:
    """The keys of these addresses, in their order; what is no address is left out."""
    keys = []
    for address in addresses:
        try:
            keys.append(key(address))
        except AddressError:
            continue
    return keys


def forget_quiet(at: datetime) -> int:
    """Forget the errors of addresses that had none for the policy's quiet days. Returns how many addresses."""
    policy = QuarantinePolicy.objects.current()
    with_errors = Quarantine.objects.filter(status=QuarantineStatus.WITH_ERRORS)
    full = with_errors.filter(reason=FULL, last_error_at__lt=at - timedelta(days=policy.quiet_days_if_full))
    others = with_errors.exclude(reason=FULL).filter(last_error_at__lt=at - timedelta(days=policy.quiet_days))
    return release(full) + release(others)


def lock(addresses: Iterable[str]) -> None:
    """Lock the records of these addresses, made where there are none: for a transaction that goes through them several
    times, and must not meet those that go through them once crosswise."""
    _locked(sorted(set(keys_of(addresses))))


def _update(records: QuerySet[Quarantine], **values: object) -> int:
    """Change all these records, locked in the order of their keys as everywhere. Returns how many."""
    with transaction.atomic():
        ids = list(records.select_for_update().order_by("address_key").values_list("pk", flat=True))
        return Quarantine.objects.filter(pk__in=ids).update(**values, updated_at=now())


def _locked(keys: Sequence[str]) -> list[Quarantine]:
    """The records of these keys, made where there are none, locked in the order of their keys."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["make_records"], {"keys": list(keys), "now": now()})
    return list(Quarantine.objects.select_for_update().filter(address_key__in=keys).order_by("address_key"))


def _save(records: Sequence[Quarantine]) -> None:
    """One statement, however many; the rows exist and are locked."""
    columns = {name: [getattr(record, name) for record in records] for name in _WRITTEN}
    with connection.cursor() as cursor:
        cursor.execute(SQL["write_records"], {**columns, "status": list(map(str, columns["status"])), "now": now()})


def _count(record: Quarantine, failure: AddressFailure, policy: QuarantinePolicy) -> bool:
    """One failure more in a locked record; returns whether it counts."""
    if record.status == QuarantineStatus.ALLOWLISTED or record.is_held_back:
        return False
    if not failure.is_hard and not _is_significant(record, failure, policy):
        return False
    if _is_long_ago(record, failure, policy):
        record.errors, record.errors_since = 0, None
    record.errors += 1
    record.errors_since = record.errors_since or failure.at
    record.last_error_at = max(filter(None, (record.last_error_at, failure.at)))
    record.returned = failure.is_returned
    record.reason, record.text = failure.reason[:100], failure.text[:MAX_TEXT_CHARACTERS]
    record.rule, record.delivery_id = failure.rule[:100], failure.delivery_id
    too_many = record.errors > policy.tolerated_errors and not _is_outage(record, failure, policy)
    record.status = QuarantineStatus.QUARANTINE if failure.is_hard or too_many else QuarantineStatus.WITH_ERRORS
    return True


def _is_significant(record: Quarantine, failure: AddressFailure, policy: QuarantinePolicy) -> bool:
    """Long enough after the last error that counted; reports that come late say nothing new."""
    if record.last_error_at is None:
        return True
    return failure.at - record.last_error_at >= timedelta(hours=policy.hours_between_errors)


def _is_long_ago(record: Quarantine, failure: AddressFailure, policy: QuarantinePolicy) -> bool:
    if record.last_error_at is None:
        return False
    days = policy.quiet_days_if_full if record.reason == FULL else policy.quiet_days
    return failure.at - record.last_error_at > timedelta(days=days)


def _is_outage(record: Quarantine, failure: AddressFailure, policy: QuarantinePolicy) -> bool:
    """Many addresses of the domain fail alike and not for too long: the server's trouble, not the address's."""
    if not failure.is_of_server or not policy.outage_addresses or record.errors_since is None:
        return False
    if failure.at - record.errors_since > timedelta(days=policy.outage_days):
        return False
    alike = Quarantine.objects.filter(
        domain=record.domain,
        status=QuarantineStatus.WITH_ERRORS,
        last_error_at__gt=failure.at - OUTAGE_WINDOW,
        reason=failure.reason,
    )
    return alike[: policy.outage_addresses].count() >= policy.outage_addresses
