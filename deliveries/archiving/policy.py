"""Which archive a delivery uses."""

from deliveries.models import Archive, ArchivePolicy, Properties


def locked_archive() -> Archive | None:
    """The archive that every delivery uses, whatever its box says."""
    return Archive.objects.filter(policy=ArchivePolicy.LOCKED).first()


def archive_of(properties: Properties) -> Archive | None:
    """Where copies of a delivery go, if anywhere."""
    return locked_archive() or (properties.archive if properties.archive_emails else None)


def apply_default(properties: Properties) -> None:
    """Tick the box of something new when an archive is on by default."""
    default = Archive.objects.exclude(policy=ArchivePolicy.OFFERED).order_by("policy").last()
    if default is not None and not properties.archive_emails:
        properties.archive_emails, properties.archive = True, default
