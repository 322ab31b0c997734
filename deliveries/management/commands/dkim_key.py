"""``manage.py dkim_key DOMAIN``: make a DKIM key and print its DNS record; list and retire keys."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from campaign.lib import command
from deliveries.actions.base import ActionRefused
from deliveries.actions.dkim_key import make_key, retire_key
from deliveries.domains.records import zone_line
from deliveries.models import Algorithm, DkimKey


class Command(command.Command):
    """Make a key, list the keys, show a key's record again, or retire a key."""

    help = (
        "Make a DKIM key for a sender's domain and print the DNS record to publish. With --list, --show or --retire "
        "nothing is made. The private key is kept encrypted and never printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The domain, and what to do."""
        parser.add_argument("domain", nargs="?", default="", help="of the sender address; --list takes all without it")
        parser.add_argument("--selector", default="", help="made of algorithm and month unless given")
        parser.add_argument("--algorithm", choices=Algorithm.values, default=Algorithm.RSA)
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--list", action="store_true", help="list the keys there are")
        act.add_argument("--show", action="store_true", help="print the record of the key with --selector again")
        act.add_argument("--retire", action="store_true", help="let the key with --selector sign nothing new")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of them."""
        domain, selector = options["domain"].strip().lower(), options["selector"].strip().lower()
        if options["list"]:
            self._list(domain)
            return
        if not domain:
            raise CommandError(
                "Name the domain of the sender address: manage.py dkim_key example.com", returncode=command.WRONG_CALL
            )
        if options["show"]:
            self._show(_existing(domain, selector))
        elif options["retire"]:
            self._retire(_existing(domain, selector))
        else:
            self._make(domain, selector, Algorithm(options["algorithm"]))

    def _make(self, domain: str, selector: str, algorithm: Algorithm) -> None:
        older = DkimKey.objects.filter(domain=domain, algorithm=algorithm, active=True).order_by("created_at").first()
        try:
            key = make_key(domain, algorithm=algorithm, selector=selector)
        except ActionRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Made the {key.get_algorithm_display()} key {key}.\n\n")
        self._show(key)
        self.stdout.write("\nThen:\n")
        self.stdout.write(f"  ./manage.py check_domain {key.domain} --selector {key.selector}\n")
        if older is None:
            self.stdout.write("\nIt signs every delivery from this domain that is analysed from now on.")
        else:
            self.stdout.write(
                f"\n{older} goes on signing. When the new record is found, change over with:\n"
                f"  ./manage.py dkim_key {older.domain} --selector {older.selector} --retire\n"
            )

    def _show(self, key: DkimKey) -> None:
        self.stdout.write(f"Publish this TXT record in the zone of {key.domain}:\n\n  {zone_line(key)}\n")
        self.stdout.write("\nWhere a form asks for the value, paste the strings as they are, or joined without quotes.")

    def _retire(self, key: DkimKey) -> None:
        retire_key(key)
        self.stdout.write(
            f"Retired {key}. What was analysed before is still signed with it: leave its DNS record in place until "
            "those deliveries are over, and a week more."
        )

    def _list(self, domain: str) -> None:
        keys = DkimKey.objects.filter(domain=domain) if domain else DkimKey.objects.all()
        for key in keys:
            state = "active" if key.active else "retired"
            self.stdout.write(f"{key}  {key.algorithm}  {state}  made {key.created_at:%Y-%m-%d}")
        if not keys:
            self.stdout.write(f"There is no key{f' for {domain}' if domain else ''}.")


def _existing(domain: str, selector: str) -> DkimKey:
    keys = list(DkimKey.objects.filter(domain=domain, selector=selector) if selector else [])
    if keys:
        return keys[0]
    selectors = ", ".join(DkimKey.objects.filter(domain=domain).values_list("selector", flat=True))
    known = f"Its selectors are: {selectors}." if selectors else "It has no key."
    asked = f"{domain} has no key with selector “{selector}”." if selector else "Say which key with --selector."
    raise CommandError(f"{asked} {known}", returncode=command.WRONG_CALL)
