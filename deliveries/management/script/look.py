"""``delivery status`` and ``delivery list``: where deliveries stand. Nothing changes."""

from argparse import ArgumentParser
from typing import Any, Final

from django.contrib.auth.models import User

from campaign.lib.command import whole_number
from deliveries.actions.base import ActionRefused
from deliveries.management.script.base import Options, delivery_of
from deliveries.models import Delivery
from deliveries.pages.summary import lines_of
from deliveries.rights import may_view_deliveries, rights_of
from deliveries.states import DeliveryState

SHOWN: Final = 20
"""How many deliveries are listed where nobody asks for more or fewer."""
SHOWN_AT_MOST: Final = 1000
STATES: Final = {state.name.lower(): state for state in DeliveryState}
"""States by the name that the JSON has."""


def status(options: Options, by: User | None) -> Delivery:
    """The delivery as it is. Raises WrongCall, ActionRefused."""
    delivery = delivery_of(options["delivery"])
    if by is not None and not rights_of(by, delivery).view:
        raise ActionRefused(f"{by} may not look at deliveries.")
    return delivery


def list_arguments(parser: ArgumentParser) -> None:
    """Which deliveries, and how many."""
    parser.add_argument(
        "--state",
        action="append",
        default=[],
        choices=STATES,
        metavar="STATE",
        help=f"only those in this state: {', '.join(STATES)}; may be repeated",
    )
    parser.add_argument(
        "--limit",
        type=whole_number(1, SHOWN_AT_MOST),
        default=SHOWN,
        metavar="N",
        help=f"no more than the newest N, {SHOWN} if not said, {SHOWN_AT_MOST} at most",
    )


def listed(options: Options, by: User | None) -> dict[str, Any]:
    """The newest deliveries and how many there are in all; proofs stand with the delivery that they are of. Raises
    ActionRefused."""
    if by is not None and not may_view_deliveries(by):
        raise ActionRefused(f"{by} may not look at deliveries.")
    found = Delivery.objects.filter(proof_of=None)
    if options["state"]:
        found = found.filter(state__in=[STATES[name] for name in options["state"]])
    newest = found.select_related("template").order_by("-pk")[: options["limit"]]
    return {"deliveries": lines_of(newest), "total": found.count()}
