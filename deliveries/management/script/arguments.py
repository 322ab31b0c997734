"""Arguments that several acts take."""

from argparse import ArgumentParser

from campaign.lib.command import seconds


def add_delivery(parser: ArgumentParser) -> None:
    """Which delivery."""
    parser.add_argument("delivery", type=int, metavar="DELIVERY", help="number of the delivery")


def add_person(parser: ArgumentParser) -> None:
    """Who does it."""
    parser.add_argument(
        "--as",
        dest="as_user",
        default="",
        metavar="USER",
        help="do it as this person: by their rights, and under their name in the audit trail; else as the system",
    )


def add_names(parser: ArgumentParser, name: str, words: str, metavar: str = "NAME") -> None:
    """Something that may be named several times."""
    parser.add_argument(f"--{name}", action="append", default=[], metavar=metavar, help=f"{words}; may be repeated")


def add_wait(parser: ArgumentParser) -> None:
    """How long to wait."""
    parser.add_argument(
        "--wait",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="come back when it is over, or after this time (code 3)",
    )
