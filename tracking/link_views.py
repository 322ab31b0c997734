"""The pages behind a link that leads nowhere (any more); links that do lead on are answered in :mod:`tracking.wsgi`."""

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deliveries.identifiers import UnknownMessage
from tracking.answers import LinkEnded, answer_or_problem


@require_safe
def link(request: HttpRequest, rest: str) -> HttpResponse:
    """The answer of the link, or a page: 410 when its time is over, 404 when there is no such link."""
    try:
        given = answer_or_problem(request.META)
    except UnknownMessage as error:
        raise Http404("There is no such link.") from error
    except LinkEnded:
        return render(request, "tracking/ended.html", status=HTTPStatus.GONE)
    if given is None:
        raise Http404("There is no such link.")
    return HttpResponse(given.body, status=given.status, headers=dict(given.headers))
