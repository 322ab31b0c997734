"""The public view of mirror pages."""

from http import HTTPStatus

from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from campaign.lib.signing import split
from deliveries.identifiers import UnknownMessage
from deliveries.signals import mirror_viewed
from mirror.page import CONTENT_SECURITY_POLICY, IMAGE_SECURITY_POLICY, PageEnded, mirror_html, mirror_image

HEADERS = {
    "Cache-Control": "private, no-cache",  # a page that has ended, or is kept longer, is so at once
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@csp(CONTENT_SECURITY_POLICY)  # type: ignore[arg-type]  # django-csp types views without URL arguments only
@require_safe
def mirror(request: HttpRequest, token: str) -> HttpResponse:
    """The mirror page of one message, without cookies or scripts; 410 once its time is over, 404 for anything else."""
    try:
        response = HttpResponse(mirror_html(token))
    except UnknownMessage as error:
        raise Http404("There is no such message.") from error
    except PageEnded:
        response = render(request, "mirror/ended.html", status=HTTPStatus.GONE)
    else:
        _tell(token, request)
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response


@csp(IMAGE_SECURITY_POLICY)  # type: ignore[arg-type]  # as above
@require_safe
def image(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """An image of a mirror page that travels inside the mail; 404 when there is no page or no such image."""
    try:
        found = mirror_image(token, name)
    except (UnknownMessage, PageEnded) as error:
        raise Http404("There is no such image.") from error
    return HttpResponse(found.data, content_type=found.content_type, headers=HEADERS)


def _tell(token: str, request: HttpRequest) -> None:
    identifier = split(token)
    mirror_viewed.send(mirror, content_id=identifier.content_id, message_id=identifier.message_id, environ=request.META)
