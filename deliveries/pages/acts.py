"""The acts of a person on a delivery: each a POST that calls one action and says what came of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from campaign import ui
from campaign.lib.clock import now
from campaign.lib.primary_keys import primary_keys
from deliveries.actions.analyse import analyse, stop_analysis
from deliveries.actions.archive_again import archive_again
from deliveries.actions.base import ActionRefused, MoveRefused
from deliveries.actions.cancel_start import cancel_start
from deliveries.actions.confirm import check_label, confirm, warnings_of
from deliveries.actions.control import pause, resume, stop
from deliveries.actions.create import duplicate
from deliveries.actions.extend_resources import extend_resources
from deliveries.actions.give_up_copies import give_up_copies
from deliveries.actions.in_doubt import NO_LONGER, NOT_CHOSEN, close_in_doubt, in_doubt, resend_in_doubt
from deliveries.actions.retry_failed import retry_failed
from deliveries.actions.send_back import send_back
from deliveries.analysis.fingerprint import is_stale
from deliveries.analysis.run import exclusion_counts
from deliveries.archiving.copies import are_overdue, figures, outstanding_archives
from deliveries.models import Delivery
from deliveries.pages.access import delivery_page
from deliveries.pages.people import target_of
from deliveries.pages.progress import Progress, progress_of
from deliveries.pages.waves import waves_of
from deliveries.rights import Rights, rights_of
from deliveries.sending.routes import NoRoute, route_of
from deliveries.states import ENDED, STARTED, DeliveryState

MOST_CHOSEN = 500
"""Messages that one question is about; a page of the list has fewer."""


def ticked(form: QueryDict, name: str) -> list[int]:
    """The ids of what was ticked in the boxes of this name."""
    return primary_keys(form.getlist(name))


def chosen(form: QueryDict) -> list[int] | None:
    """The ids of the messages that the act is about; ``None``: all. A form in which one chooses says so, because
    nothing ticked there must not mean all."""
    return ticked(form, "message") if "some" in form else None


def looked_at(form: QueryDict) -> datetime | None:
    """When the delivery that the person looked at had last been changed; ``None`` when the form does not say."""
    try:
        at = datetime.fromisoformat(form.get("seen", ""))
    except ValueError:
        return None
    return at if at.tzinfo else None


@dataclass(frozen=True, slots=True)
class Act:
    """A button: its words, the action behind it, and what to say when it is done."""

    name: str
    label: str
    action: Callable[..., Any]
    done: str
    """With ``{count}`` where the action returns how many."""
    icon: str
    right: str
    """The right that it takes, a field of :class:`deliveries.rights.Rights`."""
    question: str = ""
    """Template of the page that asks before the act is done; empty when nothing is asked."""
    read: Callable[[QueryDict], dict[str, Any]] = lambda _: {}
    """What the action takes from the answered question."""
    facts: Callable[[Delivery], dict[str, Any]] = lambda _: {}
    """What the question tells besides what every question knows."""

    is_final: bool = False
    """It gives something up for good; its button stands last, apart from the others."""

    def allowed(self, rights: Rights) -> bool:
        """Whether somebody with these rights may do it."""
        return bool(getattr(rights, self.right))


ACTS: Mapping[str, Act] = {
    act.name: act
    for act in (
        Act("analyse", "Analyse", analyse, "The analysis has been asked for.", "checklist", "edit"),
        Act("stop_analysis", "Stop the analysis", stop_analysis, "The analysis was stopped.", "stop", "edit"),
        Act(
            "confirm",
            "Confirm delivery…",
            confirm,
            "Confirmed.",
            "send",
            "start",
            "deliveries/confirm.html",
            lambda form: {"acknowledged": ticked(form, "acknowledged"), "seen": looked_at(form)},
            lambda delivery: {"waves": waves_of(delivery)},
        ),
        Act(
            "send_back",
            "Send back for changes…",
            send_back,
            "Sent back.",
            "undo",
            "start",
            "deliveries/send_back.html",
            lambda form: {"comment": form.get("comment", "")},
        ),
        Act("cancel_start", "Cancel the start", cancel_start, "Cancelled. Nothing has left.", "event_busy", "start"),
        Act("pause", "Pause", pause, "Paused. Messages on the wire are finished, no others leave.", "pause", "control"),
        Act("resume", "Resume", resume, "Resumed.", "play_arrow", "control"),
        Act(
            "stop",
            "Stop…",
            stop,
            "Stopped. What was not sent is cancelled.",
            "stop",
            "control",
            "deliveries/stop.html",
            is_final=True,
        ),
        Act(
            "retry_failed", "Retry failed", retry_failed, "Failed messages are being sent again.", "refresh", "control"
        ),
        Act(
            "resend_in_doubt",
            "Send again what is in doubt…",
            resend_in_doubt,
            "Messages in doubt that are being sent again: {count}.",
            "help",
            "control",
            "deliveries/resend_in_doubt.html",
            lambda form: {"only": chosen(form)},
        ),
        Act(
            "close_in_doubt",
            "Close what is in doubt…",
            close_in_doubt,
            "Messages in doubt that now count as sent: {count}.",
            "task_alt",
            "control",
            "deliveries/close_in_doubt.html",
            lambda form: {"only": chosen(form)},
        ),
        Act(
            "extend_resources",
            "Keep mirror pages longer…",
            extend_resources,
            "The mirror pages stay longer.",
            "schedule",
            "edit",
            "deliveries/extend_resources.html",
        ),
        Act(
            "archive_again",
            "Archive again…",
            archive_again,
            "Copies are being made again.",
            "archive",
            "control",
            "deliveries/archive_again.html",
        ),
        Act(
            "give_up_copies",
            "Give up missing copies…",
            give_up_copies,
            "Copies that were given up: {count}.",
            "unarchive",
            "control",
            "deliveries/give_up_copies.html",
            lambda form: {"reason": form.get("reason", "")},
            lambda delivery: {
                "copies": figures(delivery),
                "archives": outstanding_archives(delivery.pk),
                "ended": delivery.resources_until is not None and delivery.resources_until <= now(),
            },
            is_final=True,
        ),
        Act("duplicate", "Duplicate", duplicate, "This is the copy.", "content_copy", "add"),
    )
}

FIRST: Mapping[DeliveryState, tuple[str, ...]] = {
    DeliveryState.EDITING: ("analyse",),
    DeliveryState.ANALYSING: ("stop_analysis",),
    DeliveryState.READY: ("confirm", "send_back", "analyse"),
    DeliveryState.ANALYSIS_FAILED: ("analyse",),
    DeliveryState.START_PENDING: ("cancel_start",),
    DeliveryState.IN_PROGRESS: ("pause", "stop"),
    DeliveryState.PAUSED: ("resume", "stop"),
    DeliveryState.STOPPED: (),
    DeliveryState.FINISHED: (),
}
"""The next steps of each state, the likeliest first."""


STALE: Final = ("analyse", "send_back")
"""The next steps of a delivery that is ready and was changed since."""


def acts_of(delivery: Delivery, progress: Progress, rights: Rights, *, stale: bool) -> list[Act]:
    """The acts that the delivery's state and the person's rights allow, the likeliest first.

    ``stale``: content or target of one that is ready changed after its analysis.
    """
    names = list(STALE if stale else FIRST[delivery.current_state])
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
        if delivery.current_state in ENDED and are_overdue(delivery, now()):
            names.append("give_up_copies")
    if delivery.proof_of_id is None:
        names.append("duplicate")
    return [ACTS[name] for name in names if ACTS[name].allowed(rights)]


@require_POST
@delivery_page
def act_page(request: HttpRequest, delivery: Delivery, name: str) -> HttpResponse:
    """Do the act and go back to the delivery (or to the copy it made)."""
    if name not in ACTS:
        raise Http404
    act = ACTS[name]
    if not act.allowed(rights_of(request.user, delivery)):
        raise PermissionDenied
    given = act.read(request.POST)
    page = "in_doubt" if given.get("only") is not None else "dashboard"
    try:
        result = act.action(delivery, by=request.user, **given)
    except (ActionRefused, MoveRefused) as refused:
        messages.error(request, str(refused))
        return redirect(f"admin:deliveries_delivery_{page}", delivery.pk)
    messages.success(request, act.done.format(count=f"{result:,}") if isinstance(result, int) else act.done)
    return redirect(f"admin:deliveries_delivery_{page}", result.pk if isinstance(result, Delivery) else delivery.pk)


def act_on_each(request: HttpRequest, deliveries: Iterable[Delivery], name: str) -> None:
    """Do the act on several deliveries, each by its own rights, and say what came of each that was refused."""
    act = ACTS[name]
    done = 0
    for delivery in deliveries:
        try:
            if not act.allowed(rights_of(request.user, delivery)):
                raise ActionRefused("You may not do this with it.")
            act.action(delivery, by=request.user)
            done += 1
        except (ActionRefused, MoveRefused) as refused:
            messages.error(request, f"“{delivery.label}”: {refused}")
    if done:
        messages.success(request, f"{act.label}: done for {done:,} of the chosen deliveries.")


@delivery_page
def question_page(request: HttpRequest, delivery: Delivery, name: str) -> HttpResponse:
    """Ask before an act that cannot be undone."""
    if name not in ACTS or not ACTS[name].question:
        raise Http404
    act = ACTS[name]
    rights = rights_of(request.user, delivery)
    if not act.allowed(rights):
        raise PermissionDenied
    progress = progress_of([delivery])[delivery.pk]
    stale = delivery.current_state is DeliveryState.READY and is_stale(delivery)
    if act not in acts_of(delivery, progress, rights, stale=stale):
        messages.error(request, _too_late(delivery))
        return redirect("admin:deliveries_delivery_dashboard", delivery.pk)
    only = act.read(request.GET).get("only")
    some = list(in_doubt(delivery, only)[:MOST_CHOSEN]) if only is not None else None
    if some == []:
        messages.error(request, NO_LONGER if only else NOT_CHOSEN)
        return redirect("admin:deliveries_delivery_in_doubt", delivery.pk)
    return ui.page(
        request,
        act.question,
        title=f"{act.label.rstrip('…')}: {delivery.label}",
        delivery=delivery,
        progress=progress,
        some=some,
        count=progress.in_doubt if some is None else len(some),
        act=act,
        route=route_name(delivery),
        warnings=[(line, check_label(line)) for line in warnings_of(delivery)],
        target=target_of(delivery),
        excluded=sum(exclusion_counts(delivery).values()),
        **act.facts(delivery),
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
