"""``manage.py check_domain DOMAIN``: what is right and what to mend in a sender domain's DNS."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from campaign.lib import command
from deliveries.domains.check import check_domain
from deliveries.domains.lookup import TIMEOUT_SECONDS, Lookup, LookupFailed
from deliveries.keys import signing_keys
from deliveries.models import DkimKey
from recipients.addresses import AddressError, ascii_domain


class Command(command.Command):
    """Look up MX, SPF, DKIM and DMARC and say what is right and what to mend."""

    help = (
        "Look up MX, SPF, DKIM and DMARC of a sender's domain in the DNS and say what is right and what to mend. "
        "The exit code is 1 when something is to be mended, 2 when the call is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The domain, and whom to ask."""
        parser.add_argument("domain", help="of the sender address")
        parser.add_argument("--selector", default="", help="look at this key; unless given, at all that sign")
        parser.add_argument(
            "--dns-server",
            default=settings.DNS_SERVER,
            metavar="ADDRESS",
            help="IP address, with :port where it is not 53; unless given, DNS_SERVER or this host's resolvers",
        )
        parser.add_argument(
            "--timeout", type=command.seconds, default=TIMEOUT_SECONDS, metavar="SECONDS", help="for one question"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each finding."""
        try:
            domain = ascii_domain(options["domain"].strip().removesuffix("."))
            lookup = Lookup(options["dns_server"], options["timeout"])
        except (AddressError, LookupFailed) as error:
            raise CommandError(str(error), returncode=command.WRONG_CALL) from error
        results = check_domain(domain, _keys(domain, options["selector"].strip().lower()), lookup)
        for result in results:
            self.stdout.write(f"{'right' if result.right else 'MEND '}  {result.subject:<5}  {result.sentence}")
        wrong = sum(not result.right for result in results)
        if wrong:
            raise CommandError(f"{wrong} of {len(results)} to mend for {domain}.")
        self.stdout.write(f"Everything is right for {domain}.")


def _keys(domain: str, selector: str) -> list[DkimKey]:
    if not selector:
        return signing_keys(f"postmaster@{domain}")
    keys = list(DkimKey.objects.filter(domain=domain, selector=selector))
    if not keys:
        raise CommandError(
            f"{domain} has no key with selector “{selector}”. See: ./manage.py dkim_key {domain} --list",
            returncode=command.WRONG_CALL,
        )
    return keys
