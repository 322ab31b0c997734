"""Pages for recipients: in their language, kept by nobody, without script."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from recipients.words import Words

# With "no-referrer" browsers send forms without an origin, and the protection against forged ones would refuse them.
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "same-origin"}


def say(
    request: HttpRequest, template: str, said: Words, *, status: int = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    """A page in one language; its sentences are ``{% say "name" %}``."""
    response = render(request, template, {"words": said, "lang": said.language, **context}, status=status)
    for name, value in HEADERS.items():
        response[name] = value
    return response
