"""What follows from a failure: for the message, for its address, and for the person who complained.

A refusal in the dialogue and a mail that came back take the same path; nothing happens twice.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from deliveries.models import Message
from deliveries.models.message import NUMBER_BITS
from deliveries.sending import outcomes
from deliveries.sending.verdict import FailureType, Reason, Verdict
from recipients import denylist, quarantine
from recipients.addresses import AddressError
from recipients.models import Recipient
from recipients.quarantine import AddressFailure

OF_SERVERS: Final = frozenset({Reason.UNREACHABLE, Reason.INVALID_DOMAIN, Reason.REFUSED})
"""Reasons that say more about a server, or about how it sees us, than about one mailbox."""


def returned(message: Message, verdict: Verdict, words: str, at: datetime) -> None:
    """A message came back. It failed, and its address with it, unless the verdict is to overlook the error."""
    if verdict.reason is Reason.ERROR_IGNORED:
        return
    outcomes.returned(message.pk, verdict, words, at)
    quarantine.note(failures_of([(message.pk, message.address, verdict, words, at)], is_returned=True))


def complained(message: Message, words: str, at: datetime) -> None:
    """Somebody called the message unwanted: the person is on the denylist, and so is the address."""
    for person in Recipient.objects.filter(pk__in=[message.recipient_id]):
        denylist.deny(person, source=f"Complaint about delivery {message.delivery_id}")
    try:
        quarantine.complained(message.address, text=words, at=at, delivery_id=message.delivery_id, rule="complaint")
    except AddressError:  # nothing can be sent to it either
        return


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
