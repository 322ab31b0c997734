"""The consent history: who agreed to what, or no longer, since when and where they said so."""

from dataclasses import dataclass

from campaign.lib.clock import now
from recipients.models import Consent, ConsentEvent, ConsentSubject, Recipient, Service


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a wish comes from: in words, with the user who wrote it down and the message whose link was used."""

    source: str
    by: str = ""
    message_id: int | None = None


def write(
    recipient: Recipient,
    state: Consent,
    origin: Origin,
    *,
    subject: ConsentSubject = ConsentSubject.SERVICE,
    service: Service | None = None,
) -> ConsentEvent:
    """Add a line to the person's history; ``service`` belongs to the subject *a service*."""
    return ConsentEvent.objects.create(
        recipient=recipient,
        at=now(),
        subject=subject,
        service=service,
        service_name=service.name if service is not None else "",
        state=state,
        source=origin.source[:200],
        by=origin.by[:150],
        message_id=origin.message_id,
    )
