"""What the deliveries app holds about one person: messages with their values and pages, exclusions, lines of proofs,
archived copies, and sentences that name the address."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.files.storage import storages
from django.db import connection
from django.db.models import Q

from campaign.lib import privacy
from campaign.lib.privacy import Holding, Person
from campaign.lib.sql import statements
from deliveries.archiving.store import STORAGE, file_name
from deliveries.models import ArchiveCopy, Content, Delivery, Exclusion, Message, MessageValues, ProofLine
from deliveries.models.message import NUMBER_BITS
from deliveries.rendering.merge import MessageError
from deliveries.rows import renderer, rows_of
from deliveries.sending.verdict import Reason
from deliveries.states import MessageState

SQL = statements(Path(__file__).parent / "sql")


def register_holding() -> None:
    """Let exports and erasures reach what is here."""
    privacy.register(Holding("deliveries", order=50, export=export, erase=erase, files=pages))


def message_ids(person: Person) -> list[int]:
    """The person's messages: by profile (an index), and by address, for which the log is read, once a person."""
    if "messages" not in person.found:
        own = Q(recipient_id=person.recipient_id) if person.recipient_id is not None else Q(pk__in=[])
        if person.address:
            own |= _at(person)
        found = Message.objects.filter(own, seed=None).order_by("pk").values_list("pk", flat=True)
        person.found["messages"] = list(found)
    ids: list[int] = person.found["messages"]
    return ids


def export(person: Person) -> Mapping[str, Any]:
    """Messages, and deliveries that left the person out."""
    messages = list(Message.objects.filter(pk__in=message_ids(person)).order_by("pk").select_related("frozen"))
    fields = _fields(messages)
    labels = dict(Delivery.objects.values_list("pk", "label"))
    left_out = Exclusion.objects.filter(recipient_id=person.recipient_id or 0).order_by("pk")
    return {
        "messages": [_message(message, labels, fields[message.delivery_id]) for message in messages],
        "left_out_of_deliveries": [
            {"delivery": labels.get(delivery_id), "reason": reason}
            for delivery_id, reason in left_out.values_list("delivery_id", "reason")
        ],
    }


def _fields(messages: Iterable[Message]) -> Mapping[int, Sequence[str]]:
    """By delivery: all its contents have the same fields, also the one that a message waits for (A/B test)."""
    deliveries = {message.delivery_id for message in messages}
    return dict(Content.objects.filter(delivery__in=deliveries).values_list("delivery", "compiled__fields"))


def _message(message: Message, labels: Mapping[int, str], fields: Sequence[str]) -> dict[str, Any]:
    frozen = getattr(message, "frozen", None)
    return {
        "delivery": labels.get(message.delivery_id),
        "delivery_number": message.delivery_id,
        "number": message.number,
        "address": message.address,
        "state": MessageState(message.state).label,
        "attempts": message.attempts,
        "failure_type": message.failure_type,
        "reason": Reason(message.reason).label if message.reason is not None else None,
        "reply": message.reply,
        "processed_at": message.processed_at,
        "values": dict(zip(fields, frozen.values, strict=True)) if frozen is not None else None,
    }


def pages(person: Person) -> Iterator[tuple[str, bytes]]:
    """The HTML of each message whose personal values are still there, as its mirror page shows it."""
    for content_id, row in rows_of(message_ids(person)):
        if row.values and row.dated_at is not None:
            delivery_id, number = divmod(row.id, 1 << NUMBER_BITS)
            try:
                yield f"messages/{delivery_id}-{number}.html", renderer(content_id).html(row).encode()
            except MessageError:  # such a message was never sent
                continue


def erase(person: Person) -> Mapping[str, int]:
    """Erase the person from the log; what remains of a message is its state, with a pseudonym for the address.

    Copies in an archive's mailbox are out of reach.
    """
    ids = message_ids(person)
    given: dict[str, Any] = {
        "ids": ids,
        "address": person.address,
        "key": person.key,
        "pseudonym": person.pseudonym,
        "recipient": person.recipient_id or 0,
    }
    files = _erase_stored_copies(ids)
    to_be_made = ArchiveCopy.objects.filter(pk__in=ids).outstanding()
    counts: dict[str, int] = {
        "values of messages": MessageValues.objects.filter(pk__in=ids).delete()[0],
        "stored copies of messages": files,
        "copies that were still to be made": to_be_made.delete()[0],
    }
    ArchiveCopy.objects.filter(pk__in=ids).update(reply="")
    by_number = [("messages of the log", "erase_messages"), ("exclusions", "erase_exclusions")]
    by_address = [
        ("sentences of journals", "erase_from_journals"),
        ("sentences of the audit trail", "erase_from_audit"),
    ]
    for words, statement in by_number + (by_address if person.address else []):
        with connection.cursor() as cursor:
            cursor.execute(SQL[statement], given)
            counts[words] = cursor.rowcount
    if person.address:
        proofs = ProofLine.objects.filter(_at(person))
        counts["lines of proofs"] = proofs.update(address=person.pseudonym, recipient=None)
    return counts


def _at(person: Person) -> Q:
    return Q(address__iexact=person.address) | Q(address__iexact=person.key)


def _erase_stored_copies(ids: list[int]) -> int:
    store = storages[STORAGE]
    stored = ArchiveCopy.objects.filter(pk__in=ids, stored_at__isnull=False).values_list("pk", flat=True)
    for message_id in stored:
        store.delete(file_name(message_id))
    return len(stored)
