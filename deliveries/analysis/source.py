"""From a delivery (or template) to the values that rendering compiles."""

from urllib.parse import urlsplit

from django.conf import settings

from deliveries.models import (
    Attachment,
    AttachmentRole,
    Delivery,
    MailFormats,
    MirrorMode,
    PersonalizationBlock,
    Properties,
)
from deliveries.personalization.blocks import Block
from deliveries.personalization.fields import Field, FieldKind, catalogue
from deliveries.rendering.compile import AttachedFile, Compiled, Mirror, Source, compile_content
from deliveries.rendering.return_path import ReturnPath
from deliveries.rendering.tracking import Choice, Tracking
from recipients.models import AttributeDefinition


def fields(properties: Properties | None = None) -> dict[str, Field]:
    """Every field an author may use, by path: custom attributes, and the columns of the delivery's file."""
    kinds = AttributeDefinition.objects.values_list("name", "kind")
    known = catalogue({name: FieldKind(kind) for name, kind in kinds})
    file = properties.target_file if isinstance(properties, Delivery) else None
    columns = [Field(f"file.{name}", f"{label} (file)") for name, label in file.columns] if file else []
    return {**known, **{column.path: column for column in columns}}


def blocks() -> dict[str, Block]:
    """Every personalization block, by name."""
    return {
        block.name: Block(name=block.name, html=block.html, text=block.text)
        for block in PersonalizationBlock.objects.all()
    }


def source(properties: Properties) -> Source:
    """What rendering needs to know of a delivery or template."""
    sender_domain = properties.sender_address.rpartition("@")[2]
    return Source(
        subject=properties.subject,
        html=properties.html,
        text=properties.text,
        sender_name=properties.sender_name,
        sender_address=properties.sender_address,
        reply_name=properties.reply_name,
        reply_address=properties.reply_address,
        error_address=error_address(properties),
        investigation_address=properties.investigation_address or settings.INVESTIGATION_ADDRESS,
        return_path=ReturnPath(settings.RETURN_PATH),
        mirror=_MIRROR[MirrorMode(properties.mirror_mode)],
        text_only=properties.mail_formats == MailFormats.TEXT,
        by_preference=properties.mail_formats == MailFormats.RECIPIENT,
        seconds=properties.personalization_time.total_seconds(),
        language=properties.language,
        base_url=settings.PUBLIC_URL,
        unsubscribe_by_mail=settings.UNSUBSCRIBE_BY_MAIL,
        message_domain=sender_domain or urlsplit(settings.PUBLIC_URL).hostname or "localhost",
        label=properties.label,
        code=properties.code,
        smtp_headers=properties.smtp_headers,
        tracking=tracking(properties),
        attachments=tuple(_file(attachment) for attachment in properties.attachments.order_by("pk")),
    )


def tracking(properties: Properties) -> Tracking:
    """What a delivery or template says about its links."""
    return Tracking(
        clicks=properties.track_clicks,
        opens=properties.track_clicks and properties.track_opens,
        honeypot=properties.track_clicks and properties.honeypot,
        choices={url: Choice(**choice) for url, choice in properties.link_choices.items()},
        parameters=properties.parameters(properties.label, properties.code),
        parameter_hosts=tuple(properties.url_parameter_hosts.lower().split()),
    )


_MIRROR = {
    MirrorMode.DEFAULT: Mirror.DEFAULT,
    MirrorMode.FORCE: Mirror.ALWAYS,
    MirrorMode.IDENTIFIER: Mirror.ALWAYS,
    MirrorMode.NONE: Mirror.NEVER,
}


def error_address(properties: Properties) -> str:
    """Where the bounces of a delivery return, personalization unresolved."""
    own = "" if properties.default_error_address else properties.error_address.strip()
    return own or settings.ERROR_ADDRESS or properties.sender_address


def compile_properties(properties: Properties) -> Compiled:
    """Compile a delivery's or template's content. Raises ``PersonalizationErrors`` with every finding."""
    return compile_content(source(properties), fields(properties), blocks())


def _file(attachment: Attachment) -> AttachedFile:
    return AttachedFile.of(
        name=attachment.name,
        content_type=attachment.content_type,
        data=bytes(attachment.data),
        content_id=attachment.content_id if attachment.role == AttachmentRole.INLINE else "",
    )
