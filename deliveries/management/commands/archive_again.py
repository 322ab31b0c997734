"""``manage.py archive_again DELIVERY``: hand copies of a delivery's sent messages to its archive again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from campaign.lib import command
from deliveries.actions.archive_again import archive_again
from deliveries.actions.base import ActionRefused
from deliveries.models import Delivery


class Command(command.Command):
    """Archive a delivery again."""

    help = (
        "Hand a copy of every sent message of a delivery to its archive, again where there is one. Workers make them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The delivery."""
        parser.add_argument(
            "delivery", type=int, metavar="DELIVERY", help="number of the delivery, as in the address of its page"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many."""
        try:
            delivery = Delivery.objects.get(pk=options["delivery"])
            count = archive_again(delivery)
        except Delivery.DoesNotExist as error:
            raise CommandError(
                f"There is no delivery {options['delivery']}. The number of one stands in the address of its page."
            ) from error
        except ActionRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{count:,} copies of “{delivery}” will be made.")
