"""The page of one delivery: where it stands, what can be done next, what happened."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from campaign import ui
from campaign.lib.clock import now
from deliveries.actions.choose_winner import RUNNING
from deliveries.actions.confirm import check_label
from deliveries.analysis.fingerprint import is_stale
from deliveries.analysis.progress import shown_step
from deliveries.analysis.run import exclusion_counts
from deliveries.archiving.copies import figures
from deliveries.models import AbTest, Delivery, ExclusionReason, JournalLine, Level
from deliveries.pages.access import delivery_page
from deliveries.pages.acts import acts_of, route_name
from deliveries.pages.others import links_of
from deliveries.pages.overdue import overdue
from deliveries.pages.people import target_of
from deliveries.pages.progress import Ahead, Pace, Progress, ahead_of, counts, pace, progress_of
from deliveries.pages.side_by_side import side_by_side
from deliveries.pages.steps import way_of
from deliveries.pages.waves import waves_of
from deliveries.rights import rights_of
from deliveries.states import EDITABLE, DeliveryState, PartState

MOVING = frozenset({DeliveryState.ANALYSING, DeliveryState.IN_PROGRESS})
"""States that change without anybody touching them."""

HELD = frozenset({DeliveryState.PAUSED, DeliveryState.STOPPED})
"""States in which nothing more leaves."""

STOP_POLLING = 286
JOURNAL_LINES = 200
MOST_PROOFS = 20


@delivery_page
def dashboard(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Everything about a delivery on one page."""
    prefetch_related_objects([delivery], "reviewers", "editors")
    context = _progress_context(request, delivery)
    rights = rights_of(request.user, delivery)
    test: AbTest | None = getattr(delivery, "ab_test", None)
    target = target_of(delivery)
    proofs = list(delivery.proofs.select_related("created_by").order_by("-proof_number")[:MOST_PROOFS])
    proof_progress = progress_of(proofs) if proofs else {}
    sent = next((proof for proof in proofs if proof_progress[proof.pk].sent), None)
    stale = delivery.current_state is DeliveryState.READY and is_stale(delivery)
    acts = acts_of(delivery, context["progress"], rights, stale=stale)
    journal = list(delivery.journal.select_related("user").order_by("-id")[: JOURNAL_LINES + 1])
    return ui.page(
        request,
        "deliveries/dashboard.html",
        title=delivery.label,
        stale=stale,
        late=overdue(delivery, context["looked_at"]),
        editable=delivery.current_state in EDITABLE,
        rights=rights,
        way=way_of(delivery, has_target=target.is_chosen, proof_fingerprint=sent.proof_fingerprint if sent else "")
        if delivery.proof_of_id is None
        else None,
        reviewers=delivery.reviewers.all(),
        proofs=[(proof, proof_progress[proof.pk]) for proof in proofs],
        tested=delivery.proof_lines.select_related("recipient") if delivery.proof_of_id is not None else [],
        acts=[act for act in acts if not act.is_final],
        final_acts=[act for act in acts if act.is_final],
        others=links_of(delivery),
        route=route_name(delivery),
        waves=waves_of(delivery),
        awaits_winner=delivery.current_state in RUNNING and test is not None and test.winner_id is None,
        target=target,
        exclusions=[
            (reason, ExclusionReason(reason).label, count) for reason, count in exclusion_counts(delivery).items()
        ],
        copies=figures(delivery) if delivery.archive_emails and delivery.started_at else None,
        found=found_by_check(delivery, journal),
        journal=[(line, check_label(line)) for line in journal[:JOURNAL_LINES]],
        journal_is_longer=len(journal) > JOURNAL_LINES,
        **context,
    )


def _pace(request: HttpRequest, delivery: Delivery, progress: Progress, at: datetime, ahead: Ahead) -> Pace | None:
    """The pace since the last look, which the page sends along when it asks again."""
    if delivery.started_at is None or delivery.current_state is not DeliveryState.IN_PROGRESS:
        return None
    since = None
    with suppress(KeyError, ValueError):
        asked = datetime.fromisoformat(request.GET["since"])
        since = (int(request.GET["processed"]), asked) if asked.tzinfo else None
    return pace(progress, since=since, started_at=delivery.started_at, at=at, ahead=ahead)


def found_by_check(delivery: Delivery, newest: list[JournalLine]) -> list[tuple[str, list[tuple[JournalLine, int]]]]:
    """Errors and warnings of the journal by the check that found them, the last of those that say the same with their
    number; groups with an error come first.

    ``newest`` are the lines that were read already; only a journal that is longer is asked for its older ones.
    """
    grave = [Level.WARNING, Level.ERROR]
    lines = [line for line in reversed(newest) if line.level in grave]
    if len(newest) > JOURNAL_LINES:
        lines = list(delivery.journal.filter(level__in=grave).order_by("pk")[:JOURNAL_LINES])
    groups: dict[str, dict[tuple[str, str], tuple[JournalLine, int]]] = {}
    for line in lines:
        group = groups.setdefault(check_label(line) or "Other", {})
        _, times = group.get((line.level, line.sentence), (line, 0))
        group[line.level, line.sentence] = line, times + 1
    found = [(label, list(group.values())) for label, group in groups.items()]
    return sorted(found, key=lambda group: all(line.level != Level.ERROR for line, _ in group[1]))


@delivery_page
def progress_fragment(request: HttpRequest, delivery: Delivery) -> HttpResponseBase:
    """The progress alone, for polling; asks for the whole page when the state has changed, ends when nothing moves."""
    if request.headers.get("HX-Request") != "true":
        return dashboard(request, delivery_id=delivery.pk)
    if request.GET.get("state") != str(delivery.state):
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = _progress_context(request, delivery)
    status = 200 if context["moving"] else STOP_POLLING
    return render(request, "deliveries/progress.html", context, status=status)


def _progress_context(request: HttpRequest, delivery: Delivery) -> dict[str, Any]:
    progress = progress_of([delivery])[delivery.pk]
    at = now()
    runs = delivery.current_state is DeliveryState.IN_PROGRESS
    ahead = ahead_of(delivery, at) if runs else Ahead()
    return {
        "step": shown_step(delivery.pk) if delivery.current_state is DeliveryState.ANALYSING else None,
        "pace": _pace(request, delivery, progress, at, ahead),
        "ahead": ahead,
        "beside": side_by_side(delivery) if runs and progress.left else None,
        "looked_at": at,
        "delivery": delivery,
        "progress": progress,
        "counts": counts(delivery, progress),
        "moving": delivery.current_state in MOVING or _is_coming_to_rest(delivery),
    }


def _is_coming_to_rest(delivery: Delivery) -> bool:
    """Whether messages that were on the wire when somebody paused or stopped it may still be recorded."""
    return delivery.current_state in HELD and delivery.parts.filter(state=PartState.CLAIMED).exists()
