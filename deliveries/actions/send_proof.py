"""Send a proof: the delivery as it is now, to people who look at it before everybody else gets it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, cycle
from typing import Final

from django.db import models, transaction
from django.db.models import Max

from deliveries.actions.analyse import analyse
from deliveries.actions.base import ActionRefused
from deliveries.analysis.content_fingerprint import content_fingerprint
from deliveries.analysis.target import some_of
from deliveries.models import Archive, Delivery, MailFormats, Priority, ProofLine, SeedAddress, Variant, WavesMode
from deliveries.models.proof import MOST_LINES
from deliveries.moves import Actor, write_act
from deliveries.states import EDITABLE
from recipients import addresses
from recipients.models import HELD_BACK, Denylist, MailFormat, Quarantine, Recipient, RecipientList
from recipients.queries.definition import QueryProblem

DURATION: Final = timedelta(days=1)


class ProofFormats(models.TextChoices):
    """Which formats the testers get."""

    AS_SENT = "as_sent", "One message, as the recipient would get it"
    TEXT = "text", "One message, text only"
    BOTH = "both", "Two messages: text only, and HTML with text"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof is sent to, and how.

    Test addresses and the seed addresses of ``seed_groups`` get the data of the people in ``data_of`` (several: one
    message for each of them), or of people chosen at random from the target; what a seed address says of itself comes
    first. People on ``lists`` get their own.
    """

    addresses: Sequence[str] = ()
    lists: Sequence[int] = ()
    seed_groups: Sequence[int] = ()
    data_of: Sequence[str] = ()
    formats: ProofFormats = ProofFormats.AS_SENT
    variant: str = ""
    """The letter of the A/B test's variant that it shows; empty: the delivery as it is."""
    archive: bool = False
    keep_duplicates: bool = False
    keep_denylisted: bool = True
    keep_quarantined: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    address: str
    recipient: Recipient | None
    seed: SeedAddress | None = None

    @property
    def mail_format(self) -> str:
        """The format that the addressee prefers."""
        if self.seed is not None and self.seed.mail_format:
            return self.seed.mail_format
        return self.recipient.mail_format if self.recipient else MailFormat.BOTH


@transaction.atomic
def send_proof(delivery: Delivery, proof: Proof, *, by: Actor = None) -> Delivery:
    """Make a delivery of its own out of ``delivery``, numbered, and have it analysed and sent at once; returns it.

    Raises :class:`ActionRefused` when the delivery can no longer be changed, or with what is wrong with the proof.
    """
    original = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if original.current_state not in EDITABLE:
        raise ActionRefused(f"The delivery is “{original.current_state.label}”: there is nothing left to try out.")
    if original.proof_of_id is not None:
        raise ActionRefused("This is a proof itself. Send another one from its delivery.")
    lines, left_out = _keep(_lines(original, proof), proof)
    if not lines:
        raise ActionRefused(
            " ".join(
                ["Nobody would get this proof: give a test address, a group of seed addresses or a list.", *left_out]
            )
        )
    number = len(lines) * len(_forms(lines[0], proof.formats))
    if number > MOST_LINES:
        raise ActionRefused(f"This proof has {number:,} messages; {MOST_LINES} are possible. Take fewer addresses.")
    made = _copy(original, proof, by)
    _write(made, lines, proof.formats)
    for sentence in left_out:
        write_act(made, sentence, by=by)
    write_act(original, f"{made.label}: asked for, to {_named([line.address for line in lines])}.", by=by)
    analyse(made, by=by)
    return made


def _copy(original: Delivery, proof: Proof, by: Actor) -> Delivery:
    number = (original.proofs.aggregate(last=Max("proof_number"))["last"] or 0) + 1
    variant = Variant.objects.filter(test__delivery=original, letter=proof.variant).first()
    if proof.variant and variant is None:
        raise ActionRefused(f"The A/B test has no variant {proof.variant[:1]}. Reload the page and choose again.")
    shown = variant.of(original) if variant is not None else original
    prefix = f"Proof #{number}{f' ({variant.letter})' if variant is not None else ''}"
    subject = f"{prefix}: {shown.subject}"
    if len(subject) > (longest := Delivery._meta.get_field("subject").max_length or 0):
        raise ActionRefused(f"The subject is too long for “{prefix}” in front of it. At most {longest} characters fit.")
    archive = _archive(original) if proof.archive else None
    values = shown.shared() | {
        "label": f"{prefix} of {original.label}"[:200],
        "subject": subject,
        "priority": Priority.HIGH,
        "test_smtp": False,
        "waves_mode": WavesMode.NONE,
        "explicit_dates": False,
        "validity": DURATION,
        "part_size": 0,
        "archive_emails": archive is not None,
        "target_file": original.target_file,
        "archive": archive,
    }
    if proof.formats is not ProofFormats.AS_SENT:
        values["mail_formats"] = MailFormats.RECIPIENT
    known = by is not None and by.is_authenticated
    made = Delivery.objects.create(
        **values,
        template=original.template,
        created_by_id=by.pk if by is not None and known else None,
        proof_of=original,
        proof_number=number,
        proof_fingerprint=content_fingerprint(shown),
    )
    return made.take_attachments(original)


def _archive(original: Delivery) -> Archive:
    archive = original.archive or Archive.objects.order_by("pk").first()
    if archive is None:
        raise ActionRefused("There is no archive yet. Create one under “Archives”, or untick “archive the proof”.")
    return archive


def _lines(original: Delivery, proof: Proof) -> Iterator[_Line]:
    testers: list[tuple[str, SeedAddress | None]] = [(_address(text), None) for text in proof.addresses]
    seeds = SeedAddress.objects.filter(groups__in=proof.seed_groups).distinct().order_by("pk")
    testers += [(seed.address, seed) for seed in seeds[: MOST_LINES + 1]]
    shown: Sequence[Recipient | None] = [_recipient(text) for text in proof.data_of]
    if shown:
        yield from (_Line(tester, somebody, seed) for tester, seed in testers for somebody in shown)
    else:
        chosen = _at_random(original, len(testers)) or [None]
        for (tester, seed), somebody in zip(testers, cycle(chosen), strict=False):
            yield _Line(tester, somebody, seed)
    people = Recipient.objects.filter(lists__in=RecipientList.objects.filter(pk__in=proof.lists), address__isnull=False)
    for person in people.order_by("pk").distinct()[: MOST_LINES + 1]:
        yield _Line(person.address or "", person)


def _address(text: str) -> str:
    try:
        return addresses.normalise(text)
    except addresses.AddressError as error:
        raise ActionRefused(f"“{text.strip()[:80]}” cannot get a proof. {error}") from error


def _recipient(text: str) -> Recipient:
    """The person with this address."""
    try:
        return Recipient.objects.get(address_key=addresses.key(text))
    except (addresses.AddressError, Recipient.DoesNotExist):
        raise ActionRefused(
            f"No recipient has the address “{text.strip()[:80]}”, so there is no data to show."
        ) from None


def _at_random(original: Delivery, number: int) -> list[Recipient | None]:
    """People of the target, at random."""
    try:
        return list(Recipient.objects.filter(pk__in=some_of(original, number)))
    except QueryProblem as problem:
        raise ActionRefused(str(problem)) from problem


def _keep(lines: Iterator[_Line], proof: Proof) -> tuple[list[_Line], list[str]]:
    """The lines that are sent, and a sentence for each reason for which others are not."""
    kept = list(lines)
    left_out = []
    if not proof.keep_duplicates:
        unique = list(
            {(addresses.key(line.address), line.recipient and line.recipient.pk): line for line in kept}.values()
        )
        if len(unique) < len(kept):
            left_out.append(f"{len(kept) - len(unique)} lines are there twice.")
        kept = unique
    keys = {addresses.key(line.address) for line in kept}
    blocked: set[str] = set()
    if not proof.keep_quarantined:
        quarantined = set(
            Quarantine.objects.filter(address_key__in=keys, status__in=HELD_BACK).values_list("address_key", flat=True)
        )
        blocked |= quarantined
        if quarantined:
            left_out.append(f"In quarantine: {_named(sorted(quarantined))}.")
    if not proof.keep_denylisted:
        denied = Denylist.objects.filter(recipient__address_key__in=keys)
        denylisted = {key for key in denied.values_list("recipient__address_key", flat=True) if key}
        blocked |= denylisted
        if denylisted:
            left_out.append(f"Denylisted: {_named(sorted(denylisted))}.")
    return [line for line in kept if addresses.key(line.address) not in blocked], left_out


def _write(made: Delivery, lines: Sequence[_Line], formats: ProofFormats) -> None:
    number = count(1)
    ProofLine.objects.bulk_create(
        ProofLine(
            proof=made,
            number=next(number),
            address=line.address,
            recipient=line.recipient,
            seed=line.seed,
            mail_format=form,
        )
        for line in lines
        for form in _forms(line, formats)
    )


def _forms(line: _Line, formats: ProofFormats) -> Sequence[str]:
    """The format of each message to a line's address."""
    match formats:
        case ProofFormats.BOTH:
            return [MailFormat.TEXT, MailFormat.BOTH]
        case ProofFormats.TEXT:
            return [MailFormat.TEXT]
        case _:
            return [line.mail_format]


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
