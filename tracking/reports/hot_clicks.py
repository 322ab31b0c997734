"""Hot clicks: the frozen message as one recipient got it, with each link's share of the clicks at its place."""

import html as entities
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin

from campaign import ui
from deliveries.models import Content, Delivery, Message, MessageValues
from deliveries.models.message import NUMBER_BITS
from deliveries.pages.access import delivery_page
from deliveries.pages.people import ids_by_address, typed_address
from deliveries.pages.preview import POLICY, with_images
from deliveries.rendering.compile import Compiled
from deliveries.rendering.merge import MessageError, Renderer
from deliveries.rendering.reading import EXPRESSION
from deliveries.rows import message_row
from tracking.figures.breakdown import links_of, tallies_of
from tracking.figures.models import Dimension
from tracking.reports.report import wants_machines

_TAG = re.compile(
    r"<!--.*?-->"
    r"|<(?P<raw>script|style)\b[^>]*+>.*?</(?P=raw)\s*>"
    r"""|<(?P<name>[a-z][a-z0-9]*)\b(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])))*+>""",
    re.IGNORECASE | re.DOTALL,
)
_HREF = re.compile(r"\shref\s*=", re.IGNORECASE)
_FILLER = "\ue002"
_MARKER = (
    '<span style="display:inline-block!important;background:{colour}!important;color:#fff!important;'
    "font:bold 12px/16px sans-serif!important;padding:0 5px!important;border-radius:8px!important;"
    'margin-right:4px!important;text-decoration:none!important">{words}</span>'
)
HOT, WARM, COLD = 0.25, 0.05, 0.0
_COLOURS = ((HOT, "#b91c1c"), (WARM, "#b45309"), (COLD, "#4b5563"))


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link's start tag in a template: its number, where it ends, and what it says."""

    number: int
    end: int
    tag: str


def anchors(template: str) -> Iterator[Anchor]:
    """The links of an HTML template in the order in which they are numbered (see ``deliveries/rendering/links.py``)."""
    masked = EXPRESSION.sub(_hidden, template)
    number = 0
    for match in _TAG.finditer(masked):
        if (match["name"] or "").lower() in {"a", "area"} and _HREF.search(match[0]):
            number += 1
            yield Anchor(number, match.end(), template[match.start() : match.end()])


def _hidden(match: re.Match[str]) -> str:
    """As many characters that no HTML rule touches, so that places in one are places in the other; what stands between
    raw and endraw is text as any other."""
    if match["literal"] is None:
        return _FILLER * len(match[0])
    before, after = match.start("literal") - match.start(), match.end() - match.end("literal")
    return f"{_FILLER * before}{match['literal']}{_FILLER * after}"


def with_markers(template: str, links: Mapping[int, str], words: Mapping[int, tuple[str, str]]) -> str:
    """The template with a marker inside each link.

    ``links`` are the addresses by number, ``words`` what the markers say and their colour. A link that is not where its
    number says gets none: better no figure than a wrong one.
    """
    pieces, at = [], 0
    for anchor in anchors(template):
        address = links.get(anchor.number)
        if address is None or anchor.number not in words:
            continue
        if address not in anchor.tag and address not in entities.unescape(anchor.tag):
            continue
        said, colour = words[anchor.number]
        pieces += [template[at : anchor.end], _MARKER.format(colour=colour, words=said)]
        at = anchor.end
    return "".join([*pieces, template[at:]])


def marked_html(message: Message, *, machines: bool) -> str:
    """The HTML of a message with its markers, links leading where the author wrote, nothing tracked.

    Raises :class:`MessageValues.DoesNotExist` once the personal values are deleted, and :class:`MessageError`.
    """
    content = message.content
    compiled: dict[str, Any] = content.compiled
    delivery = content.delivery
    clicks = tallies_of(delivery, machines=machines).get(Dimension.LINK, {})
    own = {
        link["number"]: clicks.get(f"{content.pk}:{link['number']}", {}).get("clicks", 0) for link in compiled["links"]
    }
    every = sum(own.values())
    words = {number: _words(count, every) for number, count in own.items()}
    marked = with_markers(compiled["html"], {link["number"]: link["url"] for link in compiled["links"]}, words)
    shown = replace(Compiled.from_json(compiled), html=marked).untracked()
    renderer = Renderer(shown, content.pk, bytes(content.key), clock=time.monotonic)
    return with_images(delivery, renderer.html(message_row(message)))


def _words(count: int, every: int) -> tuple[str, str]:
    share = count / every if every else 0
    colour = next(colour for least, colour in _COLOURS if share >= least)
    return f"{100 * share:.1f} % ({count:,})", colour


def _message(delivery: Delivery, address: str) -> Message | None:
    """The message to this address (or to the first that begins so); without an address the delivery's first."""
    found = Message.objects.of_delivery(delivery.pk).order_by("pk")
    if address:
        found = found.filter(recipient__in=ids_by_address(address))
    return found.first()


@delivery_page
def hot_clicks_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Choose a recipient and look at the message; the links are listed beside it."""
    machines = wants_machines(request)
    address = typed_address(request)
    message = _message(delivery, address)
    return ui.page(
        request,
        "tracking/hot_clicks.html",
        title=f"Hot clicks: {delivery.label}",
        delivery=delivery,
        machines=machines,
        address=address,
        message=message,
        values_left=message is not None and MessageValues.objects.filter(pk=message.pk).exists(),
        links=links_of(delivery, tallies_of(delivery, machines=machines)),
    )


@xframe_options_sameorigin
@delivery_page
def hot_clicks_html(request: HttpRequest, delivery: Delivery, message_number: int) -> HttpResponse:
    """The HTML alone, for the sandboxed frame."""
    messages = Message.objects.select_related("content__delivery")
    if message_number >= 1 << NUMBER_BITS:
        raise Http404
    message = messages.filter(pk=(delivery.pk << NUMBER_BITS) + message_number).first()
    if message is None:
        raise Http404
    try:
        html = marked_html(message, machines=wants_machines(request))
    except (MessageValues.DoesNotExist, Content.DoesNotExist, MessageError) as error:
        raise Http404 from error
    return HttpResponse(html, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})
