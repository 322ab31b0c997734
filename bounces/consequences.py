"""What follows from a failure: for the message, for its address, and for the person who complained.

A refusal in the dialogue and a mail that came back take the same path; nothing happens twice.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Final

from bounces.understanding import Complaint, Failure
from deliveries.models.message import NUMBER_BITS
from deliveries.sending import outcomes
from deliveries.sending.outcomes import Returned
from deliveries.sending.verdict import FailureType, Reason, Verdict
from recipients import denylist, quarantine
from recipients.addresses import AddressError
from recipients.models import Recipient
from recipients.quarantine import AddressFailure

OF_SERVERS: Final = frozenset({Reason.UNREACHABLE, Reason.INVALID_DOMAIN, Reason.REFUSED})
"""Reasons that say more about a server, or about how it sees us, than about one mailbox."""


def returned(failures: Iterable[Failure]) -> list[Failure]:
    """Messages came back, in this order: they failed, and their addresses with them. Returns what was news.

    A message that failed with the same words before is the same failure told again, however long ago: it counts once.
    An error that the verdict overlooks changes nothing.
    """
    failed = [each for each in failures if each.verdict.reason is not Reason.ERROR_IGNORED]
    said = outcomes.returned([Returned(each.message.pk, each.verdict, each.words, each.at) for each in failed])
    news = []
    for each in failed:
        if said.get(each.message.pk) != each.words:
            said.setdefault(each.message.pk, each.words)
            news.append(each)
    quarantine.note(
        failures_of(
            ((each.message.pk, each.message.address, each.verdict, each.words, each.at) for each in news),
            is_returned=True,
        )
    )
    return news


def complained(complaint: Complaint) -> None:
    """Somebody called the message unwanted: the person is on the denylist, and so is the address."""
    message = complaint.message
    person = Recipient.objects.filter(pk=message.recipient_id or 0).first()
    if person is not None:
        denylist.deny(person, source=f"Complaint about delivery {message.delivery_id}")
    with suppress(AddressError):  # nothing can be sent to what is no address
        quarantine.complained(
            message.address, text=complaint.words, at=complaint.at, delivery_id=message.delivery_id, rule="complaint"
        )


def failures_of(
    failed: Iterable[tuple[int, str, Verdict, str, datetime]], *, is_returned: bool
) -> list[AddressFailure]:
    """Message id, address, verdict, words and time as what counts against addresses; ignored failures do not."""
    return [
        AddressFailure(
            address=address,
            is_hard=verdict.type is FailureType.HARD,
            reason=verdict.reason.label,
            text=words,
            at=at,
            rule=verdict.rule,
            delivery_id=message_id >> NUMBER_BITS,
            is_returned=is_returned,
            is_of_server=verdict.reason in OF_SERVERS,
        )
        for message_id, address, verdict, words, at in failed
        if verdict.type is not FailureType.IGNORED
    ]
