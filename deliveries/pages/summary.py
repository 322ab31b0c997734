"""What a program gets to know about a delivery: plain values with stable names, ready for JSON."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from campaign.lib.clock import now
from deliveries.analysis.fingerprint import is_stale
from deliveries.analysis.run import exclusion_counts
from deliveries.models import Delivery, Level
from deliveries.pages.overdue import overdue
from deliveries.pages.people import target_of
from deliveries.pages.progress import Progress, counts, progress_of
from deliveries.states import DeliveryState
from recipients.models import PeopleFile

UNNAMED = "analysis"
"""Name of a warning that no check gives but the analysis itself."""


def lines_of(deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """One line for each delivery, templates loaded: what can be said of many in two queries. Moments and what there is
    not yet are as in :func:`summary_of`."""
    shown = list(deliveries)
    progress = progress_of(shown)
    return [_line(delivery, progress[delivery.pk]) for delivery in shown]


def summary_of(delivery: Delivery) -> dict[str, Any]:
    """Where the delivery stands. Moments are in UTC (ISO 8601); what there is not yet is ``None``."""
    target = target_of(delivery)
    return {
        **_line(delivery, progress_of([delivery])[delivery.pk]),
        "stale": delivery.current_state is DeliveryState.READY and is_stale(delivery),
        "approval_mode": delivery.approval_mode,
        "target": {
            "lists": target.lists,
            "queries": target.queries,
            "file": _file(delivery.target_file),
            "excluded": target.excluded,
        },
        "population": delivery.population,
        "excluded": exclusion_counts(delivery),
        "seeds": delivery.seeds,
        "warnings": _findings(delivery, Level.WARNING),
        "errors": _findings(delivery, Level.ERROR),
        "proofs": [
            {"id": proof.pk, "number": proof.proof_number, "state": proof.current_state.name.lower()}
            for proof in delivery.proofs.order_by("proof_number")
        ],
    }


def _line(delivery: Delivery, progress: Progress) -> dict[str, Any]:
    state = delivery.current_state
    return {
        "id": delivery.pk,
        "label": delivery.label,
        "code": delivery.code,
        "state": state.name.lower(),
        "state_label": state.label,
        "note": delivery.state_note,
        "overdue": overdue(delivery, now()),
        "page": settings.PUBLIC_URL.rstrip("/") + reverse("admin:deliveries_delivery_dashboard", args=[delivery.pk]),
        "template": delivery.template.label if delivery.template else None,
        "priority": delivery.priority,
        "proof_of": delivery.proof_of_id,
        "proof_number": delivery.proof_number,
        "to_deliver": delivery.to_deliver,
        "messages": {each.name.lower(): count for each, count in counts(delivery, progress)},
        "percent": progress.percent,
        "updated_at": _moment(delivery.updated_at),
        "analysed_at": _moment(delivery.analysed_at),
        "contact_at": _moment(delivery.contact_at),
        "contact_zone": delivery.contact_zone,
        "starts_at": _moment(delivery.starts_at),
        "started_at": _moment(delivery.started_at),
        "valid_until": _moment(delivery.valid_until),
        "finished_at": _moment(delivery.finished_at),
    }


def _file(file: PeopleFile | None) -> dict[str, Any] | None:
    if file is None:
        return None
    return {
        "name": file.file_name,
        "state": file.state,
        "lines": file.lines,
        "rejected": file.rejected,
        "note": file.sentence,
    }


def name_of(check_key: str) -> str:
    """The name by which a warning is acknowledged."""
    return check_key or UNNAMED


def _findings(delivery: Delivery, level: Level) -> list[dict[str, str]]:
    lines = delivery.journal.filter(level=level).order_by("pk")
    return [{"name": name_of(line.check_key), "sentence": line.sentence} for line in lines]


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
