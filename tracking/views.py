"""Unsubscribing: a page with one button, and the one-click POST of mail programs (RFC 8058)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from deliveries.identifiers import UNSUBSCRIBE, UnknownMessage, find_message
from deliveries.models import Message
from recipients.denylist import deny
from recipients.models import Recipient

HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}


@csrf_exempt  # a mail program posts without a page of ours; the signed identifier is the authority (RFC 8058, 3.1)
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET and HEAD show the page and change nothing; POST puts the person on the denylist, however often it comes."""
    try:
        message = find_message(UNSUBSCRIBE, token)
    except UnknownMessage as error:
        raise Http404("There is no such message.") from error
    if request.method == "POST":
        _deny(message)
    context = {"done": request.method == "POST", "address": message.address}
    response = render(request, "public/unsubscribe.html", context)
    for name, value in HEADERS.items():
        response[name] = value
    return response


def _deny(message: Message) -> None:
    recipient = Recipient.objects.filter(messages=message).first()
    if recipient is not None:
        deny(recipient, source=f"unsubscription from delivery {message.delivery_id}")
