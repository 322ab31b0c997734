"""Pages of the way in. Whoever asks is told the same whatever is known of the address."""

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from deliveries.actions import subscribe as acts
from deliveries.actions.subscribe import VALID, LinkExpired, TooMany
from recipients.addresses import AddressError
from recipients.models import Service
from recipients.words import accepted, words
from tracking.pages import say
from tracking.subscribing.limits import may_ask


@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest, service_id: int) -> HttpResponse:
    """The form of a service; POST has a mail sent that asks whether the person really wants it."""
    service = Service.objects.filter(pk=service_id, has_form=True).first()
    if service is None:
        raise Http404("There is no such form.")
    said = words([request.GET.get("lang", "")[:16], *accepted(request.headers.get("Accept-Language", ""))])
    if request.method != "POST":
        return say(request, "public/subscribe.html", said, service=service)
    address = request.POST.get("address", "").replace("\x00", "").strip()[:320]
    if not may_ask(request):
        return say(request, "public/too_many.html", said, status=HTTPStatus.TOO_MANY_REQUESTS)
    try:
        acts.ask(service, address, said.language)
    except TooMany:
        return say(request, "public/too_many.html", said, status=HTTPStatus.SERVICE_UNAVAILABLE, is_busy=True)
    except AddressError:
        return say(
            request,
            "public/subscribe.html",
            said,
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            service=service,
            typed=address,
            is_wrong=True,
        )
    return say(request, "public/asked.html", said, address=_shown(address))


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link, with one button; POST subscribes."""
    try:
        asked = acts.question(token)
        if request.method == "POST":
            acts.confirm(token)
    except LinkExpired:
        said = words(accepted(request.headers.get("Accept-Language", "")))
        return say(request, "public/expired.html", said, status=HTTPStatus.GONE, days=VALID.days)
    said = words([asked.request.language])
    is_done = request.method == "POST" or asked.request.confirmed_at is not None
    return say(
        request,
        "public/confirmed.html" if is_done else "public/confirm.html",
        said,
        service=asked.request.service,
        address=_shown(asked.request.address),
        is_denied=asked.is_denied,
    )


def _shown(address: str) -> SafeString:
    return format_html("<strong>{}</strong>", address)
