"""Archives of exact copies, and the state of each message's copy."""

import ipaddress

from django.core.exceptions import ValidationError
from django.db import models

from deliveries.models.message import Message, message_range
from deliveries.models.route import Route
from recipients.addresses import AddressError, ascii_domain

WIDEST_NETWORK = {4: 8, 6: 16}
"""Length of the shortest prefix that can be an archive's, by IP version."""

ORDINARY_AGENTS = (
    "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/130.0 safari/537 edg/130",
    "mozilla/5.0 (macintosh; intel mac os x 10_15_7) applewebkit/605.1.15 (khtml, like gecko) version/18.0 safari/605",
    "mozilla/5.0 (iphone; cpu iphone os 18_0 like mac os x) applewebkit/605.1.15 (khtml, like gecko) mobile/15e148",
    "mozilla/5.0 (linux; android 10; k) applewebkit/537.36 (khtml, like gecko) chrome/130.0 mobile safari/537.36",
    "mozilla/5.0 (x11; linux x86_64; rv:130.0) gecko/20100101 firefox/130.0 thunderbird/130.0",
    "mozilla/5.0 (windows nt 5.1; rv:11.0) gecko firefox/11.0 (via ggpht.com googleimageproxy)",
    "microsoft office/16.0 (microsoft outlook mail 16.0; pro)",
)
"""What people read their mail with, in small letters: a name that is in one of these tells no archive from them."""


class ArchivePolicy(models.TextChoices):
    """Who decides whether deliveries are archived here."""

    OFFERED = "offered", "Offered: each delivery decides"
    DEFAULT = "default", "On by default: new deliveries archive here unless somebody unticks the box"
    LOCKED = "locked", "Always: every delivery archives here"


class Archive(models.Model):
    """A place for exact copies: a mailbox reached by a route of its own, a store of ``.eml`` files, or both."""

    name = models.CharField(max_length=100, unique=True)
    address = models.EmailField(
        max_length=254, blank=True, help_text="The mailbox that takes the copies. No message names it."
    )
    route = models.ForeignKey(
        Route,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="How copies get there. They hold personal data: choose a route with TLS.",
    )
    stores_files = models.BooleanField(
        "store .eml files",
        default=False,
        help_text="Write each copy as a file as well, into the storage that the operator set up.",
    )
    policy = models.CharField(max_length=8, choices=ArchivePolicy, default=ArchivePolicy.OFFERED)
    networks = models.TextField(
        "networks of the archive",
        blank=True,
        help_text="One a line, for example 192.0.2.0/24. Opens and clicks from there are counted apart: "
        "somebody looked at a copy. What people do with a copy from elsewhere cannot be told from the recipient.",
    )
    user_agents = models.TextField(
        "user agents of the archive",
        blank=True,
        help_text="One a line: part of the name under which the archive's software opens links.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy"], condition=~models.Q(policy=ArchivePolicy.OFFERED), name="archive_one_of_each_policy"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """There is somewhere to put copies, a way to get there, and every network can be read."""
        problems = {}
        if not self.address and not self.stores_files:
            problems["address"] = "Write the address of a mailbox, or tick “store .eml files”."
        if self.policy != ArchivePolicy.OFFERED:
            other = Archive.objects.filter(policy=self.policy).exclude(pk=self.pk).first()
            if other is not None:
                problems["policy"] = f"The archive “{other}” has this policy, and only one can. Change it there first."
        if self.address and self.route is None:
            problems["route"] = "Choose the route by which copies get to the mailbox."
        if self.address:
            try:
                local, _, domain = self.address.rpartition("@")
                self.address = f"{local}@{ascii_domain(domain)}"
            except AddressError as error:
                problems["address"] = str(error)
        found = {"networks": self._network_problem(), "user_agents": self._agent_problem()}
        problems |= {name: sentence for name, sentence in found.items() if sentence}
        if problems:
            raise ValidationError(problems)

    def network_list(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """The networks. Raises ``ValueError``."""
        return [ipaddress.ip_network(line, strict=False) for line in self.networks.split()]

    def agent_list(self) -> list[str]:
        """Parts of user agents' names, in small letters."""
        return [line.strip().lower() for line in self.user_agents.splitlines() if line.strip()]

    def _network_problem(self) -> str:
        for line in self.networks.split():
            try:
                network = ipaddress.ip_network(line, strict=False)
            except ValueError:
                return f"“{line}” is not a network. Write one a line, for example 192.0.2.0/24."
            if network.prefixlen < WIDEST_NETWORK[network.version]:
                return (
                    f"“{line}” is a large part of the Internet: what recipients there open would be taken for the "
                    "archive's. Write the archive's own networks."
                )
        return ""

    def _agent_problem(self) -> str:
        for name in self.agent_list():
            if any(name in ordinary for ordinary in ORDINARY_AGENTS):
                return (
                    f"“{name}” is in the names of programs that recipients use: what they open would be taken for the "
                    "archive's. Write more of the name."
                )
        return ""


class CopyState(models.IntegerChoices):
    """Where a copy stands. A message without a copy has none of these."""

    PENDING = 0, "Pending"
    ARCHIVED = 1, "Archived"
    FAILED = 2, "Failed, tried again"
    GIVEN_UP = 3, "Given up: the archive never got it"


DECIDED = (CopyState.ARCHIVED, CopyState.GIVEN_UP)
"""Nothing is to be done for a copy in one of these states."""


class ArchiveCopyQuerySet(models.QuerySet["ArchiveCopy"]):
    """Selections of copies."""

    def of_delivery(self, delivery_id: int) -> "ArchiveCopyQuerySet":
        """All copies of a delivery, by primary key alone."""
        first, last = message_range(delivery_id)
        return self.filter(message_id__gte=first, message_id__lte=last)

    def outstanding(self) -> "ArchiveCopyQuerySet":
        """Those that the archive still has to get; what indexes hold."""
        return self.exclude(state__in=DECIDED)


class ArchiveCopy(models.Model):
    """The copy of one accepted message. Written with the message's outcome, so that none is forgotten."""

    message = models.OneToOneField(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="copy"
    )
    archive = models.ForeignKey(Archive, on_delete=models.PROTECT, related_name="copies", db_index=False)
    state = models.SmallIntegerField(choices=CopyState, default=CopyState.PENDING)
    attempts = models.SmallIntegerField(default=0)
    reply = models.TextField(blank=True)
    noted_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)
    stored_at = models.DateTimeField(null=True)

    objects = ArchiveCopyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "archive copies"
        indexes = [
            # What is still to do is small, whatever was archived before.
            models.Index(
                fields=["archive", "next_attempt_at"], condition=~models.Q(state__in=[1, 3]), name="copy_to_do"
            ),
            models.Index(fields=["message"], condition=~models.Q(state__in=[1, 3]), name="copy_missing"),
        ]

    def __str__(self) -> str:
        return f"Copy of message {self.message_id}"
