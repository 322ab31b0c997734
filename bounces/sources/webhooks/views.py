"""The address that a provider calls: one for each, answering 200 only when everything that follows is committed."""

import logging
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, tracking
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from bounces.parsing import Kind
from bounces.process import of_event, process_all
from bounces.sources.webhooks import PROVIDERS, Provider
from bounces.sources.webhooks.provider import METADATA, UNREADABLE, each_readable, event_id, kind_of
from bounces.understanding import Brought

logger = logging.getLogger(__name__)

_taken: ContextVar[list[Brought]] = ContextVar("events of this request")

MAX_OCTETS: Final = 20 * 1024 * 1024
"""Of a request: some providers send ten thousand events at once."""


@csrf_exempt
def hook(request: HttpRequest, name: str) -> HttpResponseBase:
    """Take a provider's events. 404 for a provider nobody set up, 400 for what is forged or broken, 503 while the
    database is away."""
    provider = PROVIDERS.get(name)
    if provider is None or not provider.is_configured():
        raise Http404
    raw = request.read(MAX_OCTETS + 1)
    if len(raw) > MAX_OCTETS:
        return HttpResponse("Too many events at once.", status=413, content_type="text/plain")
    events: list[Brought] = []
    taken = _taken.set(events)
    # Django would refuse what is longer than a form may be, and it reads the body once.
    request._body = raw  # noqa: SLF001
    try:
        answer: HttpResponseBase = provider.view.as_view()(request)
        process_all(events)
        return answer
    except AnymailWebhookValidationFailure:
        logger.warning("Somebody who is not %s called its webhook.", provider.label)
        return HttpResponse("Not authorized.", status=400, content_type="text/plain")
    except (OperationalError, InterfaceError):
        return HttpResponse("The database is away.", status=503, content_type="text/plain")
    except (AnymailError, RecursionError, *UNREADABLE) as error:
        logger.warning("An event of %s cannot be read: %s: %s", provider.label, type(error).__name__, error)
        return HttpResponse("The events cannot be read.", status=400, content_type="text/plain")
    finally:
        _taken.reset(taken)


def take(sender: Any, event: AnymailTrackingEvent, **_: Any) -> None:
    """Take one event, which is processed with the others of its request; called by anymail for each."""
    provider = next((each for each in PROVIDERS.values() if each.view is sender), None)
    kind = kind_of(event)
    if provider is not None and kind is not None:
        _taken.get().extend(each_readable([event], partial(_brought, provider, kind), provider.label))


def _brought(provider: Provider, kind: Kind, event: AnymailTrackingEvent) -> Brought:
    quoted = provider.quoted(event)
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    return of_event(
        source=f"{provider.label} webhook",
        event_id=event_id(event),
        kind=kind,
        address=str(event.recipient or ""),
        text=str(event.mta_response or event.description or ""),
        status=provider.status(event),
        message_id=quoted.message_id,
        return_path=quoted.return_path,
        envelope_id=str(metadata.get(METADATA) or ""),
        headers=quoted.headers,
        otherwise=provider.opinion(event),
        at=event.timestamp,
    )


tracking.connect(take)
