"""The public view of mirror pages."""

from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from deliveries.identifiers import UnknownMessage
from mirror.page import CONTENT_SECURITY_POLICY, mirror_html


@csp(CONTENT_SECURITY_POLICY)  # type: ignore[arg-type]  # django-csp types views without URL arguments only
@require_safe
def mirror(request: HttpRequest, token: str) -> HttpResponse:
    """The mirror page of one message, without cookies or scripts; 404 for anything but a sent delivery's message."""
    try:
        html = mirror_html(token)
    except UnknownMessage as error:
        raise Http404("There is no such message.") from error
    return HttpResponse(
        html,
        headers={
            "Cache-Control": "private, max-age=300",
            "X-Robots-Tag": "noindex, nofollow, noarchive",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )
