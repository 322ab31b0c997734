"""Why somebody did or did not get a delivery: everything that is on record, and the target as it is now."""

from collections.abc import Iterator
from dataclasses import dataclass

from deliveries.analysis.target import judge
from deliveries.models import (
    ArchiveCopy,
    CopyState,
    Delivery,
    Exclusion,
    ExclusionReason,
    Message,
    Part,
)
from deliveries.states import MessageState
from recipients.addresses import AddressError, normalise
from recipients.models import Denylist, Quarantine, Recipient, SavedQuery, Subscription
from recipients.queries.ask import finds
from recipients.queries.definition import QueryProblem


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the target and whether the person is in it now."""

    name: str
    excludes: bool
    holds: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A message of the delivery to the person."""

    message: Message
    state: MessageState
    wave: int
    copy: str
    """State of the archived copy in words; empty for none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything about one person and one delivery. ``verdict`` says it in a sentence."""

    verdict: str
    outcomes: tuple[Outcome, ...]
    reasons: tuple[ExclusionReason, ...]
    segments: tuple[Segment, ...]
    facts: tuple[tuple[str, str], ...]


def explain(delivery: Delivery, recipient: Recipient | None, address: str) -> Answer:
    """The answer for a recipient, or for an address that no recipient has (any more)."""
    is_proof = delivery.proof_of_id is not None
    outcomes = tuple(map(_outcome, _messages(delivery, recipient, address)))
    if recipient is not None:
        left_out = Exclusion.objects.filter(delivery=delivery, recipient_id=recipient.pk).order_by("pk")
        reasons = tuple(ExclusionReason(reason) for reason in left_out.values_list("reason", flat=True))
    else:
        reasons = ()
    return Answer(
        verdict=_verdict(delivery, recipient, outcomes, reasons),
        outcomes=outcomes,
        reasons=reasons,
        segments=tuple(_segments(delivery, recipient)) if recipient is not None and not is_proof else (),
        facts=tuple(_facts(delivery, recipient)) if recipient is not None else (),
    )


def _messages(delivery: Delivery, recipient: Recipient | None, address: str) -> Iterator[Message]:
    """Those to the recipient, and those to a seed address that is the same. Where messages belong to no recipient (of
    proofs, and when the profile is gone) the address alone can be compared."""
    messages = Message.objects.of_delivery(delivery.pk).order_by("pk")
    if recipient is None or delivery.proof_of_id is not None:
        yield from messages.filter(address__in={address, _normalised(address)})
        return
    yield from messages.filter(recipient_id=recipient.pk)
    if recipient.address:
        yield from messages.filter(seed__isnull=False, address__iexact=recipient.address)


def _normalised(address: str) -> str:
    try:
        return normalise(address)
    except AddressError:
        return address


_SENTENCES = {
    MessageState.PENDING: "Not yet: the message is ready and has not been sent.",
    MessageState.SENT: "Yes: the message was sent; the mail server took it.",
    MessageState.FAILED: "No: sending the message failed.",
    MessageState.CANCELLED: "No: the message was cancelled before it was sent.",
    MessageState.IN_DOUBT: "Perhaps: the message was handed over and no answer came.",
}


def _verdict(
    delivery: Delivery,
    recipient: Recipient | None,
    outcomes: tuple[Outcome, ...],
    reasons: tuple[ExclusionReason, ...],
) -> str:
    if outcomes:
        seed = " It is one to a seed address." if outcomes[0].message.seed_id is not None else ""
        return _SENTENCES[outcomes[0].state] + seed
    if reasons:
        return f"No: left out by the analysis. {reasons[0].label}."
    if delivery.log_purged_at is not None:
        return "Nobody can tell any more: the log of this delivery was deleted, as old logs are."
    if delivery.proof_of_id is not None:
        return "No: this is a proof, and this address is none of those that it went to."
    if recipient is None:
        return "No: no recipient has this address, and no message of this delivery went to it."
    if delivery.content_id is not None:
        return "No: not in the target when the delivery was analysed."
    return f"The delivery has not been analysed. {_prospect(delivery, recipient)}"


def _prospect(delivery: Delivery, recipient: Recipient) -> str:
    try:
        found, reason = judge(delivery, recipient.pk)
    except QueryProblem as problem:
        return str(problem)
    if not found:
        return "As the target is now, it does not find this person."
    if reason is not None:
        return f"As the target is now, this person would be left out. {reason.label}."
    drawn = (
        " unless sample or control group are drawn otherwise" if delivery.limit_mode or delivery.control_mode else ""
    )
    return f"As the target is now, this person would get it{drawn}."


def _outcome(message: Message) -> Outcome:
    part = Part.objects.filter(delivery_id=message.delivery_id, first_id__lte=message.pk).order_by("-first_id").first()
    copy = ArchiveCopy.objects.filter(pk=message.pk).first()
    return Outcome(
        message=message,
        state=MessageState(message.state),
        wave=part.wave if part else 1,
        copy=CopyState(copy.state).label if copy else "",
    )


def _segments(delivery: Delivery, recipient: Recipient) -> Iterator[Segment]:
    own = set(recipient.memberships.values_list("list_id", flat=True))
    for chosen in delivery.target_lists.order_by("name"):
        yield Segment(f"List “{chosen}”", excludes=False, holds=chosen.pk in own)
    for query in delivery.target_queries.order_by("name"):
        yield _query(query, recipient, excludes=False)
    if delivery.target_file is not None:
        holds = delivery.target_file.people.filter(recipient=recipient).exists()
        yield Segment(f"File “{delivery.target_file}”", excludes=False, holds=holds)
    for chosen in delivery.excluded_lists.order_by("name"):
        yield Segment(f"List “{chosen}”", excludes=True, holds=chosen.pk in own)
    for query in delivery.excluded_queries.order_by("name"):
        yield _query(query, recipient, excludes=True)


def _query(query: SavedQuery, recipient: Recipient, *, excludes: bool) -> Segment:
    name = f"Query “{query}”"
    try:
        return Segment(name, excludes=excludes, holds=finds(query.definition, recipient.pk))
    except QueryProblem as problem:
        return Segment(name, excludes=excludes, holds=False, problem=str(problem))


def _record(record: Quarantine) -> str:
    """What is known of the address."""
    if record.is_held_back:
        return f"{record.get_status_display()} since {record.updated_at:%-d %b %Y}: {record.reason}"
    return f"No ({record.get_status_display().lower()})"


def _facts(delivery: Delivery, recipient: Recipient) -> Iterator[tuple[str, str]]:
    """What could keep the person out now."""
    yield "Address", recipient.address or "None"
    denied = Denylist.objects.filter(recipient=recipient).first()
    yield "Denylist", f"Since {denied.created_at:%-d %b %Y}: {denied.source}" if denied else "No"
    record = Quarantine.objects.filter(address_key=recipient.address_key).first()
    yield "Quarantine", _record(record) if record else "No"
    if delivery.consent_service is not None:
        agreed = Subscription.objects.filter(service=delivery.consent_service, recipient=recipient).first()
        words = "No" if agreed is None else "Withdrawn" if agreed.withdrawn_at else f"Since {agreed.given_at:%-d %b %Y}"
        yield f"Consent to “{delivery.consent_service}”", words
