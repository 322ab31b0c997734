"""The pages behind a link that leads nowhere (any more); links that do lead on are answered in :mod:`tracking.wsgi`."""

import logging
from http import HTTPStatus

from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deliveries.identifiers import UnknownMessage
from tracking.answers import LinkEnded, answer_or_problem

logger = logging.getLogger(__name__)

RETRY_SECONDS = 10


@require_safe
def link(request: HttpRequest, rest: str) -> HttpResponse:
    """The answer of the link, or a page: 410 when its time is over, 404 when there is no such link, 503 while the
    database is away that alone knows it."""
    try:
        given = answer_or_problem(request.META)
    except UnknownMessage as error:
        raise Http404("There is no such link.") from error
    except LinkEnded:
        return render(request, "tracking/ended.html", status=HTTPStatus.GONE)
    except Error:
        logger.exception("A link could not be followed")
        page = render(request, "tracking/later.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
        page["Retry-After"] = str(RETRY_SECONDS)
        return page
    if given is None:
        raise Http404("There is no such link.")
    return HttpResponse(given.body, status=given.status, headers=dict(given.headers))
