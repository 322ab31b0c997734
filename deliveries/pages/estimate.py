"""Estimate the population: what an analysis would find now, counted and nothing else."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from campaign import ui
from campaign.lib.patience import TookTooLong, at_most
from deliveries.analysis.target import Estimate, estimate
from deliveries.models import Delivery
from deliveries.pages.access import delivery_page
from recipients.queries.definition import QueryProblem

MOST_SECONDS = 60


@delivery_page
def estimate_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """The figures, as a part of the delivery's page or as a page of their own."""
    found, problem = _estimated(delivery)
    context: dict[str, Any] = {"delivery": delivery, "estimate": found, "problem": problem}
    if request.headers.get("HX-Request") == "true":
        return render(request, "deliveries/estimate.html", context)
    title = f"Population: {delivery.label}"
    return ui.page(request, "deliveries/estimate_page.html", title=title, **context)


def _estimated(delivery: Delivery) -> tuple[Estimate | None, str]:
    try:
        with at_most(MOST_SECONDS):
            return estimate(delivery), ""
    except QueryProblem as problem:
        return None, str(problem)
    except TookTooLong:
        return None, f"Counting took longer than {MOST_SECONDS} seconds and was given up. An analysis takes its time."
