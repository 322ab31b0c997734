"""The event log: what became of messages after they were sent, and how each event was judged.

Nothing is taken out of this log because a machine caused it, and an event is written once: only its judgement
(``origin``, ``rule``) may change afterwards, when events seen together say more than each by itself did.

How figures read it. An event belongs to the delivery in the upper bits of ``message_id``, so the events of a delivery
are one range (:func:`deliveries.models.message_range`).

* What counts is ``origin = PERSON``. With machines: ``PERSON`` and ``MACHINE``. Copies in an archive (``ARCHIVE``) and
  trials (``TRIAL``: proofs and seed addresses, told apart when the event is written, so that nothing needs to be
  joined) count in neither.
* Opens are ``OPEN``; who clicked or looked at the mirror page has opened the message as well.
* A delivery without individual tracking writes message number 0 (:func:`anonymous`): its events count in totals, and
  nowhere where messages are counted.
* ``link`` is the number of a link in the event's own content (``content.compiled["links"]``, with label, category and
  mode); a mode other than *tracked* keeps a link out of click figures. 0 in everything but a click.
* Repetitions are all there: totals count rows, people are distinct messages.
"""

from django.db import models

from campaign.lib.clock import now
from deliveries.models.message import NUMBER_BITS, message_range
from tracking.figures.models import Dimension, EventTally, LogCount, LogTally
from tracking.reports.models import WeeklyDigest

__all__ = [
    "Device",
    "Dimension",
    "Event",
    "EventKind",
    "EventLoss",
    "EventTally",
    "LogCount",
    "LogTally",
    "MachineRule",
    "Origin",
    "RuleKind",
    "RuleVerdict",
    "UserAgent",
    "WeeklyDigest",
    "anonymous",
    "is_anonymous",
]


class EventKind(models.IntegerChoices):
    """What happened. The numbers are kept in the log and in exports; they never change."""

    OPEN = 1, "Open"
    CLICK = 2, "Click"
    MIRROR = 3, "Mirror page view"


class Origin(models.IntegerChoices):
    """Who or what caused an event. The numbers never change."""

    PERSON = 1, "Person"
    MACHINE = 2, "Machine"
    ARCHIVE = 3, "Archive"
    TRIAL = 4, "Proof or seed address"


class Device(models.TextChoices):
    """What somebody read with."""

    UNKNOWN = "", "Unknown"
    DESKTOP = "desktop", "Computer"
    PHONE = "phone", "Phone"
    TABLET = "tablet", "Tablet"


class UserAgent(models.Model):
    """One line for each user agent that an event names, parsed once."""

    MAX_LENGTH = 400

    id = models.AutoField(primary_key=True)
    text = models.CharField(max_length=MAX_LENGTH, unique=True, help_text="As sent, cut off after 400 characters.")
    device = models.CharField(max_length=7, choices=Device, blank=True, default=Device.UNKNOWN)
    browser = models.CharField("browser or mail program", max_length=60, blank=True)
    system = models.CharField("operating system", max_length=60, blank=True)
    is_machine = models.BooleanField(default=False, help_text="A program that says so itself, by crawlerdetect.")
    seen_at = models.DateTimeField(
        default=now,
        db_index=True,
        editable=False,
        help_text="When it last came, to the day. No later event names it.",
    )

    def __str__(self) -> str:
        return self.text


class RuleKind(models.TextChoices):
    """What a rule looks at."""

    NETWORK = "network", "Network of the request"
    USER_AGENT = "user_agent", "Part of the user agent"
    CRAWLER = "crawler", "User agent of a known crawler"
    HEAD = "head", "Only the headers were asked for (HEAD)"
    DELAY = "delay", "Seconds after sending"
    BURST = "burst", "All links of a message within seconds"
    HONEYPOT = "honeypot", "Link that no person can see"


class RuleVerdict(models.TextChoices):
    """What a rule says about an event."""

    MACHINE = "machine", "Machine"
    PERSON = "person", "Person, seen through a proxy"


class MachineRule(models.Model):
    """How machines are told from people; the first rule that fits decides, in the order of ``position``.

    Rules that come with the project have a ``key``; they follow newer versions of it until somebody changes them.
    """

    id = models.SmallAutoField(primary_key=True)
    key = models.CharField(max_length=60, unique=True, null=True, editable=False)
    version = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Of the project's own rule.")
    is_changed = models.BooleanField(default=False, editable=False, help_text="Somebody changed the project's rule.")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=RuleKind)
    pattern = models.TextField(
        blank=True, help_text="One network (CIDR) or one part of a user agent a line; capitals do not matter."
    )
    seconds = models.PositiveSmallIntegerField(default=0, help_text="For rules that look at time.")
    verdict = models.CharField(max_length=7, choices=RuleVerdict, default=RuleVerdict.MACHINE)
    position = models.PositiveSmallIntegerField(
        default=100, help_text="Rules are asked from the lowest to the highest."
    )
    is_active = models.BooleanField("active", default=True)
    source = models.CharField(max_length=300, blank=True, help_text="Where this is published, and when it was read.")

    class Meta:
        ordering = ["position", "id"]
        verbose_name = "rule for machines"
        verbose_name_plural = "rules for machines"

    def __str__(self) -> str:
        return self.name


def anonymous(delivery_id: int) -> int:
    """The message id under which a delivery without individual tracking keeps its events."""
    return delivery_id << NUMBER_BITS


def is_anonymous(message_id: int) -> bool:
    """Many people share this message id: see :func:`anonymous`."""
    return anonymous(message_id >> NUMBER_BITS) == message_id


class EventQuerySet(models.QuerySet["Event"]):
    """Selections of the event log."""

    def of_delivery(self, delivery_id: int) -> "EventQuerySet":
        """All events of a delivery, by the index on messages."""
        return self.filter(message_id__range=message_range(delivery_id))


class Event(models.Model):
    """One open, click or look at a mirror page; some 80 bytes, and some 45 in its index.

    ``id`` is given by the process that saw the event (:mod:`tracking.identity`): milliseconds and random bits, so that
    writing an event twice makes one row and the log needs no further key for that. Neither message, content, user
    agent nor rule has a database constraint: this log outlives them and is written thousands of rows at a time.
    """

    id = models.BigIntegerField(primary_key=True)
    message_id = models.BigIntegerField(help_text="Delivery and number, as in the delivery log; number 0: nobody's.")
    content = models.ForeignKey(
        "deliveries.Content", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    at = models.DateTimeField()
    user_agent = models.ForeignKey(
        UserAgent, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    link = models.PositiveSmallIntegerField(default=0)
    kind = models.PositiveSmallIntegerField(choices=EventKind)
    origin = models.PositiveSmallIntegerField(choices=Origin, default=Origin.PERSON)
    counted = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="The origin as which the tallies count it; 0: not yet."
    )
    rule = models.ForeignKey(
        MachineRule, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    network = models.GenericIPAddressField(
        null=True, help_text="Of the request, cut off: 24 bits of IPv4, 48 of IPv6. None without individual tracking."
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            # What the tallies do not count yet, or count otherwise: nearly always empty.
            models.Index(fields=["id"], condition=~models.Q(counted=models.F("origin")), name="event_to_count"),
            # Every question begins with a delivery or a message. In the order of messages, so that distinct ones are
            # counted without a sort; with all that figures look at, so that they are read from the index alone.
            models.Index(
                fields=["message_id"], include=["kind", "origin", "link", "content", "at"], name="event_by_message"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=EventKind.values), name="event_kind_known"),
            models.CheckConstraint(condition=models.Q(origin__in=Origin.values), name="event_origin_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of message {self.message_id & ((1 << NUMBER_BITS) - 1)}"

    @property
    def delivery_id(self) -> int:
        """The delivery that this event belongs to."""
        return self.message_id >> NUMBER_BITS


class EventLoss(models.Model):
    """Events that could not be kept: counted, so that nobody takes the figures for complete."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    count = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["-at"]
        verbose_name = "loss of events"
        verbose_name_plural = "losses of events"

    def __str__(self) -> str:
        return f"{self.count} events: {self.reason}"
