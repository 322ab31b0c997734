"""Pages of the way out. GET and HEAD show and change nothing; a POST may come as often as it likes."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from campaign.lib.primary_keys import primary_keys
from deliveries.actions import unsubscribe as acts
from deliveries.actions.unsubscribe import Wishes, choices_of, wishes_of
from deliveries.identifiers import UNSUBSCRIBE, ForgottenMessage, UnknownMessage, find_message
from deliveries.models import Content, Message
from recipients.words import accepted, words
from tracking.pages import say

_BY_PAGE = "page"
"""Field that our own button sends and a mail program does not."""


def message_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view gets the message that the identifier names, and the identifier.

    404 for anything else; 410, politely, for a message that is not in the log any more.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        try:
            message = find_message(UNSUBSCRIBE, token)
        except ForgottenMessage:
            return say(request, "public/gone.html", words(_asked_for(request)), status=HTTPStatus.GONE)
        except UnknownMessage as error:
            raise Http404("There is no such message.") from error
        else:
            return view(request, message, token)

    return wrapped


@csrf_exempt  # a mail program posts without a page of ours; the signed identifier is the authority (RFC 8058, 3.1)
@require_http_methods(["GET", "HEAD", "POST"])
@message_page
def unsubscribe(request: HttpRequest, message: Message, token: str) -> HttpResponse:
    """The page with the button; POST ends the subscription that the delivery was for, or with ``all`` every mail."""
    if request.method == "POST":
        source = acts.PAGE if _BY_PAGE in request.POST else acts.ONE_CLICK
        acts.unsubscribe(message, source=source, everything="all" in request.POST)
    wishes = wishes_of(message)
    if message.recipient_id is None:
        return _answer(request, token, message, wishes, "public/test_message.html")
    if request.method == "POST" or _is_out(wishes):
        return _answer(request, token, message, wishes, "public/unsubscribed.html")
    return _answer(request, token, message, wishes, "public/unsubscribe.html")


@require_POST
@message_page
def undo(request: HttpRequest, message: Message, token: str) -> HttpResponse:
    """Take back what the page before has done."""
    undone = acts.undo(message)
    return _answer(request, token, message, wishes_of(message), "public/undone.html", undone=undone)


@require_http_methods(["GET", "HEAD", "POST"])
@message_page
def preferences(request: HttpRequest, message: Message, token: str) -> HttpResponse:
    """The public services that the person has or had, each with a box."""
    wishes = wishes_of(message)
    if request.method == "POST" and wishes.recipient is not None:
        wanted = set(primary_keys(request.POST.getlist("service")))
        acts.choose(message, wishes.recipient, wanted)
        wishes = wishes_of(message)
    return _answer(
        request,
        token,
        message,
        wishes,
        "public/preferences.html",
        saved=request.method == "POST" and bool(wishes.recipient),
    )


def _answer(
    request: HttpRequest, token: str, message: Message, wishes: Wishes, template: str, **context: Any
) -> HttpResponse:
    return say(
        request,
        template,
        words(_languages(request, message, wishes)),
        token=token,
        wishes=wishes,
        choices=choices_of(wishes.recipient) if wishes.recipient is not None else [],
        address=format_html("<strong>{}</strong>", message.address),
        service=wishes.service,
        **context,
    )


def _is_out(wishes: Wishes) -> bool:
    """There is nothing left to unsubscribe from."""
    return wishes.recipient is None or wishes.is_denied or (wishes.service is not None and not wishes.gets_service)


def _languages(request: HttpRequest, message: Message, wishes: Wishes) -> list[str]:
    """The person's, else the message's, else the browser's."""
    own = [wishes.recipient.language] if wishes.recipient is not None else []
    # Without the rest of the content, whose attachments may have megabytes.
    of_content = Content.objects.filter(pk=message.content_id).values_list("compiled__language", flat=True)
    return [*own, *filter(None, of_content), *_asked_for(request)]


def _asked_for(request: HttpRequest) -> list[str]:
    return accepted(request.headers.get("Accept-Language", ""))
