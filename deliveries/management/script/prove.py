"""``delivery analyse`` and ``delivery proof``: what can be known of a delivery before it starts."""

from argparse import ArgumentParser
from typing import Final

from django.contrib.auth.models import User

from deliveries.actions.send_proof import Proof, ProofFormats, send_proof
from deliveries.management.script.arguments import add_names, add_wait
from deliveries.management.script.base import REFUSED, Ended, Options, allowed, one, wait
from deliveries.models import Delivery, SeedGroup
from deliveries.pages.acts import ACTS
from deliveries.states import DeliveryState
from recipients.models import RecipientList

ENDED: Final = frozenset(
    {DeliveryState.FINISHED, DeliveryState.STOPPED, DeliveryState.PAUSED, DeliveryState.ANALYSIS_FAILED}
)
"""States in which nothing more happens to a proof by itself."""


def analyse(options: Options, by: User | None) -> Delivery:
    """The delivery, analysed where that was waited for. Raises Ended, WrongCall, ActionRefused, MoveRefused."""
    delivery = allowed(options, by, "analyse")
    ACTS["analyse"].action(delivery, by=by)
    delivery = wait(delivery, options["wait"], lambda one: one.current_state is not DeliveryState.ANALYSING)
    if delivery.current_state is DeliveryState.ANALYSIS_FAILED:
        raise Ended(f"The analysis failed: {delivery.state_note}", REFUSED, delivery)
    return delivery


def proof_arguments(parser: ArgumentParser) -> None:
    """What a proof takes."""
    add_names(parser, "to", "test address", "ADDRESS")
    parser.add_argument("--seeds", action="append", default=[], metavar="NAME", help="group of seed addresses")
    parser.add_argument(
        "--list", action="append", default=[], metavar="NAME", help="everybody on it, with their own data"
    )
    parser.add_argument(
        "--data-of",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="recipient whose data it shows; else at random",
    )
    parser.add_argument("--formats", choices=ProofFormats.values, default=ProofFormats.AS_SENT.value)
    parser.add_argument("--archive", action="store_true", help="archive the proof")
    add_wait(parser)


def proof(options: Options, by: User | None) -> Delivery:
    """The proof, sent where that was waited for. Raises Ended, WrongCall, ActionRefused, MoveRefused."""
    delivery = allowed(options, by, "analyse")
    wanted = Proof(
        addresses=options["to"],
        data_of=options["data_of"],
        lists=[one(RecipientList, "list", name=name).pk for name in options["list"]],
        seed_groups=[one(SeedGroup, "group of seed addresses", name=name).pk for name in options["seeds"]],
        formats=ProofFormats(options["formats"]),
        archive=options["archive"],
    )
    made = wait(send_proof(delivery, wanted, by=by), options["wait"], lambda one: one.current_state in ENDED)
    if made.current_state is DeliveryState.ANALYSIS_FAILED:
        raise Ended(f"The proof was not sent: {made.state_note}", REFUSED, made)
    return made
