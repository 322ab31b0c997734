"""The delivery log: messages page by page along the primary key, the same cost on page one and page ten thousand."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from campaign import ui
from campaign.lib.clock import now
from campaign.lib.signing import MIRROR, token
from deliveries.models import ArchiveCopy, Content, CopyState, Delivery, Message
from deliveries.models.message import MessageQuerySet
from deliveries.pages.access import delivery_page
from deliveries.pages.people import ids_by_address, typed_address
from deliveries.pages.stretch import asked_id, filters_of, stretch
from deliveries.sending.outcomes import NOT_MADE
from deliveries.sending.verdict import Reason
from deliveries.states import STARTED, MessageState

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One message and the address of its mirror page."""

    message: Message
    state: MessageState
    mirror_url: str
    why: str
    """Failure type and reason in words; empty where it did not fail."""
    copy: str
    """State of the archived copy in words; empty for none."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines in order, and the message ids to ask with for what lies before and after."""

    lines: list[Line]
    before: int | None
    after: int | None


@delivery_page
def log_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """The log, filtered by state and address."""
    state = _state(request.GET.get("state", ""))
    seeds = request.GET.get("seeds") == "1"
    address = typed_address(request)
    found = _selection(delivery, state, address, seeds=seeds)
    return ui.page(
        request,
        "deliveries/log.html",
        title=f"Delivery log: {delivery.label}",
        delivery=delivery,
        log=_page(found, delivery, after=asked_id(request, "after"), before=asked_id(request, "before")),
        states=list(MessageState),
        state=state,
        seeds=seeds,
        address=address,
        filters=filters_of(request),
    )


def _selection(delivery: Delivery, state: MessageState | None, address: str, *, seeds: bool) -> MessageQuerySet:
    """``seeds``: the messages to seed addresses and no others; else all others."""
    messages = Message.objects.of_delivery(delivery.pk).filter(seed__isnull=not seeds)
    if state is not None:
        messages = messages.filter(state=state)
    if address:
        recipients = [] if seeds else ids_by_address(address)
        # A message outlives the profile it was written for: then only its own address can be compared.
        messages = messages.filter(Q(recipient_id__in=recipients) if recipients else Q(address=address))
    return messages


def _page(found: MessageQuerySet, delivery: Delivery, *, after: int | None, before: int | None) -> LogPage:
    here = stretch(found, after=after, before=before, most=PAGE)
    if not here.messages:
        return LogPage([], None, None)
    return LogPage(
        lines=_lines(here.messages, has_pages=delivery.current_state in STARTED and not has_ended(delivery)),
        before=here.before,
        after=here.after,
    )


def _lines(messages: Sequence[Message], *, has_pages: bool) -> list[Line]:
    """``has_pages``: the delivery has started, so that its mirror pages can be opened."""
    contents = {message.content_id for message in messages}
    with_page = Content.objects.filter(pk__in=contents).exclude(compiled__has_mirror=False)
    keys = {pk: bytes(key) for pk, key in with_page.values_list("pk", "key")}
    copies = {copy.pk: copy for copy in ArchiveCopy.objects.filter(pk__in=[message.pk for message in messages])}
    return [
        Line(
            message=message,
            state=MessageState(message.state),
            mirror_url=reverse("mirror", args=[token(MIRROR, message.content_id, message.pk, keys[message.content_id])])
            if has_pages and message.content_id in keys and not (message.reply or "").startswith(NOT_MADE)
            else "",
            why=why(message),
            copy=_copy(copies.get(message.pk)),
        )
        for message in messages
    ]


def has_ended(delivery: Delivery) -> bool:
    """The validity limit of the delivery's resources is over, or the personal values are deleted already."""
    over = delivery.resources_until is not None and delivery.resources_until <= now()
    return over or delivery.values_purged_at is not None


def why(message: Message) -> str:
    """Failure type and reason of a message in words; empty where it did not fail."""
    reason = None if message.reason is None else Reason(message.reason).label
    return ", ".join(word for word in ((message.failure_type or "").capitalize(), reason) if word)


def _copy(copy: ArchiveCopy | None) -> str:
    if copy is None:
        return ""
    words = CopyState(copy.state).label
    return f"{words}: {copy.reply}" if copy.reply and copy.state != CopyState.ARCHIVED else words


def _state(text: str) -> MessageState | None:
    try:
        return MessageState(int(text))
    except ValueError:
        return None
