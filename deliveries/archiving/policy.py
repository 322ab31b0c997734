"""Which archive a delivery uses."""

from deliveries.models import Archive, ArchivePolicy, Delivery, Properties


def locked_archive() -> Archive | None:
    """The archive that every delivery uses, whatever its box says."""
    return Archive.objects.filter(policy=ArchivePolicy.LOCKED).first()


def archive_of(delivery: Delivery) -> Archive | None:
    """Where copies of a delivery go, if anywhere; those of a proof only when it was asked for."""
    locked = locked_archive() if delivery.proof_of_id is None else None
    return locked or (delivery.archive if delivery.archive_emails else None)


def apply_default(properties: Properties) -> None:
    """Tick the box of something new when an archive is on by default."""
    default = Archive.objects.exclude(policy=ArchivePolicy.OFFERED).order_by("policy").last()
    if default is not None and not properties.archive_emails:
        properties.archive_emails, properties.archive = True, default
