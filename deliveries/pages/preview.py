"""The preview: what one recipient would get, from the content as it is now."""

import base64
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin

from campaign import ui
from campaign.lib.clock import now
from deliveries.analysis.source import compile_properties
from deliveries.models import AttachmentRole, Delivery, Properties, Variant, message_range
from deliveries.pages.access import delivery_page
from deliveries.pages.people import find_in_target, typed_address, values_of
from deliveries.personalization.errors import PersonalizationErrors
from deliveries.rendering.images import with_image_addresses
from deliveries.rendering.merge import MessageError, MessageRow, Renderer
from recipients.models import Recipient

POLICY = "sandbox; default-src 'none'; img-src * data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""What an author wrote is shown without scripts, forms, frames and origin."""

PREVIEW_KEY = bytes(32)
"""Identifiers in a preview lead nowhere: nothing is signed with this key."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a recipient would get, or the sentences that say why not."""

    html: str = ""
    text: str = ""
    subject: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0
    errors: list[str] = field(default_factory=list)


def preview_of(delivery: Delivery, recipient: Recipient) -> Preview:
    """Compile the present content and merge it for ``recipient``; nothing is stored."""
    try:
        compiled = compile_properties(delivery)
    except PersonalizationErrors as errors:
        return Preview(errors=[str(error) for error in errors])
    row = MessageRow(
        id=message_range(delivery.pk)[0],
        address=recipient.address or "",
        values=values_of(delivery, recipient, compiled.fields),
        dated_at=now(),
    )
    renderer = Renderer(compiled, 0, PREVIEW_KEY, clock=time.monotonic)
    # Whoever looks at a preview opens and clicks nothing: its identifiers lead nowhere.
    shown = Renderer(compiled.untracked(), 0, PREVIEW_KEY, clock=time.monotonic)
    try:
        mail = renderer.mail(row)
        parsed = BytesParser(policy=policy.default).parsebytes(mail.data, headersonly=True)
        return Preview(
            html=shown.html(row),
            text=shown.text(row),
            subject=renderer.header(row, "subject"),
            headers=[(name, str(value)) for name, value in parsed.items()],
            size=len(mail.data),
        )
    except MessageError as error:
        return Preview(errors=[str(error)])


@delivery_page
def preview_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Choose a recipient and look at the message."""
    _require_right(request)
    address = typed_address(request)
    recipient = find_in_target(delivery, address)
    variants = list(Variant.objects.filter(test__delivery=delivery).order_by("letter"))
    version, letter = _asked_for(request, delivery, variants)
    return ui.page(
        request,
        "deliveries/preview.html",
        title=f"Preview: {delivery.label}",
        delivery=delivery,
        address=address,
        recipient=recipient,
        preview=preview_of(version, recipient) if recipient else None,
        variants=variants,
        letter=letter,
        width="phone" if request.GET.get("width") == "phone" else "desktop",
    )


@xframe_options_sameorigin
@delivery_page
def preview_html(request: HttpRequest, delivery: Delivery, recipient_id: int) -> HttpResponse:
    """The HTML part alone, for the sandboxed frame."""
    _require_right(request)
    recipient = Recipient.objects.filter(pk=recipient_id).first()
    version, _ = _asked_for(request, delivery, Variant.objects.filter(test__delivery=delivery))
    html = with_images(delivery, preview_of(version, recipient).html) if recipient else ""
    return HttpResponse(html, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})


def _require_right(request: HttpRequest) -> None:
    """A preview shows what is known of anybody, in the target or not."""
    if not request.user.has_perm("recipients.view_recipient"):
        raise PermissionDenied


def _asked_for(request: HttpRequest, delivery: Delivery, variants: Iterable[Variant]) -> tuple[Delivery, str]:
    """The delivery as the variant has it that the address asks for, and its letter; without one as it is."""
    letter = request.GET.get("variant", "")
    chosen = next((variant for variant in variants if variant.letter == letter), None)
    return (chosen.of(delivery), letter) if chosen is not None else (delivery, "")


def with_images(properties: Properties, html: str) -> str:
    """The HTML with the images that travel inside the message, which a browser cannot ask for by ``cid:``."""
    images = {
        image.content_id: f"data:{image.content_type};base64,{base64.b64encode(image.data).decode()}"
        for image in properties.attachments.filter(role=AttachmentRole.INLINE).exclude(content_id="")
    }
    return with_image_addresses(html, images)
