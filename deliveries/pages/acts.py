"""The acts of a person on a delivery: each a POST that calls one action and says what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from campaign import ui
from deliveries.actions.analyse import analyse
from deliveries.actions.archive_again import archive_again
from deliveries.actions.base import ActionRefused, MoveRefused
from deliveries.actions.confirm import confirm
from deliveries.actions.control import pause, resume, stop
from deliveries.actions.create import duplicate
from deliveries.actions.extend_resources import extend_resources
from deliveries.actions.in_doubt import close_in_doubt, resend_in_doubt
from deliveries.actions.retry_failed import retry_failed
from deliveries.analysis.run import exclusion_counts
from deliveries.models import Delivery, Level
from deliveries.pages.access import delivery_page, may_change
from deliveries.pages.progress import Progress, progress_of
from deliveries.sending.routes import NoRoute, route_of
from deliveries.states import STARTED, DeliveryState


@dataclass(frozen=True, slots=True)
class Act:
    """A button: its words, the action behind it, and what to say when it is done."""

    name: str
    label: str
    action: Callable[..., Any]
    done: str
    icon: str
    question: str = ""
    """Template of the page that asks before the act is done; empty when nothing is asked."""


ACTS: Mapping[str, Act] = {
    act.name: act
    for act in (
        Act("analyse", "Analyse", analyse, "The analysis has been asked for.", "checklist"),
        Act(
            "confirm",
            "Confirm delivery…",
            confirm,
            "Messages are leaving.",
            "send",
            "deliveries/confirm.html",
        ),
        Act("pause", "Pause", pause, "Paused. Messages on the wire are finished, no others leave.", "pause"),
        Act("resume", "Resume", resume, "Resumed.", "play_arrow"),
        Act("stop", "Stop…", stop, "Stopped. What was not sent is cancelled.", "stop", "deliveries/stop.html"),
        Act("retry_failed", "Retry failed", retry_failed, "Failed messages are being sent again.", "refresh"),
        Act(
            "resend_in_doubt",
            "Send again what is in doubt…",
            resend_in_doubt,
            "Messages in doubt are being sent again.",
            "help",
            "deliveries/resend_in_doubt.html",
        ),
        Act(
            "close_in_doubt",
            "Close what is in doubt…",
            close_in_doubt,
            "The messages in doubt now count as sent.",
            "task_alt",
            "deliveries/close_in_doubt.html",
        ),
        Act(
            "extend_resources",
            "Keep mirror pages longer…",
            extend_resources,
            "The mirror pages stay longer.",
            "schedule",
            "deliveries/extend_resources.html",
        ),
        Act(
            "archive_again",
            "Archive again…",
            archive_again,
            "Copies are being made again.",
            "archive",
            "deliveries/archive_again.html",
        ),
        Act("duplicate", "Duplicate", duplicate, "This is the copy.", "content_copy"),
    )
}

FIRST: Mapping[DeliveryState, tuple[str, ...]] = {
    DeliveryState.EDITING: ("analyse",),
    DeliveryState.ANALYSING: (),
    DeliveryState.READY: ("confirm", "analyse"),
    DeliveryState.ANALYSIS_FAILED: ("analyse",),
    DeliveryState.IN_PROGRESS: ("pause", "stop"),
    DeliveryState.PAUSED: ("resume", "stop"),
    DeliveryState.STOPPED: (),
    DeliveryState.FINISHED: (),
}
"""The next steps of each state, the likeliest first."""


def acts_of(delivery: Delivery, progress: Progress) -> list[Act]:
    """The acts that the delivery's state allows, the likeliest first."""
    names = list(FIRST[delivery.current_state])
    if progress.failed and delivery.current_state in {DeliveryState.IN_PROGRESS, DeliveryState.FINISHED}:
        names.append("retry_failed")
    if progress.in_doubt and delivery.current_state in {DeliveryState.IN_PROGRESS, DeliveryState.FINISHED}:
        names.append("resend_in_doubt")
    if progress.in_doubt:
        names.append("close_in_doubt")
    if delivery.resources_until is not None and delivery.values_purged_at is None:
        names.append("extend_resources")
    if delivery.archive_emails and delivery.started_at and delivery.values_purged_at is None:
        names.append("archive_again")
    names.append("duplicate")
    return [ACTS[name] for name in names]


@require_POST
@delivery_page
def act_page(request: HttpRequest, delivery: Delivery, name: str) -> HttpResponse:
    """Do the act and go back to the delivery (or to the copy it made)."""
    if not may_change(request) or (name == "duplicate" and not request.user.has_perm("deliveries.add_delivery")):
        raise PermissionDenied
    if name not in ACTS:
        raise Http404
    act = ACTS[name]
    try:
        result = act.action(delivery, by=request.user)
    except (ActionRefused, MoveRefused) as refused:
        messages.error(request, str(refused))
        return redirect("admin:deliveries_delivery_dashboard", delivery.pk)
    messages.success(request, act.done)
    return redirect("admin:deliveries_delivery_dashboard", result.pk if isinstance(result, Delivery) else delivery.pk)


@delivery_page
def question_page(request: HttpRequest, delivery: Delivery, name: str) -> HttpResponse:
    """Ask before an act that cannot be undone."""
    if not may_change(request):
        raise PermissionDenied
    if name not in ACTS or not ACTS[name].question:
        raise Http404
    act = ACTS[name]
    progress = progress_of([delivery])[delivery.pk]
    if act not in acts_of(delivery, progress):
        messages.error(request, _too_late(delivery))
        return redirect("admin:deliveries_delivery_dashboard", delivery.pk)
    return ui.page(
        request,
        act.question,
        title=f"{act.label.rstrip('…')}: {delivery.label}",
        delivery=delivery,
        progress=progress,
        act=act,
        route=route_name(delivery),
        warnings=delivery.journal.filter(level=Level.WARNING).values_list("sentence", flat=True),
        lists=delivery.target_lists.order_by("name"),
        excluded=sum(exclusion_counts(delivery.pk).values()),
    )


def route_name(delivery: Delivery) -> str:
    """The route's name, empty when there is none."""
    try:
        return str(route_of(delivery))
    except NoRoute:
        return ""


def _too_late(delivery: Delivery) -> str:
    state = delivery.current_state
    if state in STARTED:
        return f"The delivery is “{state.label}”: this can no longer be done."
    return f"The delivery is “{state.label}”: analyse it first."
