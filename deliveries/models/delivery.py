"""Deliveries, and what an analysis says about them."""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models

from campaign.lib.clock import now
from deliveries.models.properties import Properties
from deliveries.models.template import DeliveryTemplate
from deliveries.states import DeliveryState


class ShareMode(models.TextChoices):
    """How the size of a sample or of a control group is given."""

    NONE = "", "None"
    NUMBER = "number", "A number of people"
    PERCENT = "percent", "A percentage"


def new_seed() -> int:
    """A number that fixes what is drawn at random for a delivery (31 bits)."""
    return secrets.randbits(31)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Selections of deliveries."""

    def main(self) -> "DeliveryQuerySet":
        """Without proofs."""
        return self.filter(proof_of=None)


class Delivery(Properties):
    """One send: content, target, properties, state, results."""

    template = models.ForeignKey(
        DeliveryTemplate, on_delete=models.SET_NULL, null=True, blank=True, related_name="deliveries"
    )
    target_lists = models.ManyToManyField(
        "recipients.RecipientList",
        blank=True,
        related_name="deliveries",
        help_text="Everybody on one of these lists gets the delivery, once.",
    )
    target_queries = models.ManyToManyField(
        "recipients.SavedQuery",
        blank=True,
        related_name="deliveries",
        help_text="And everybody whom one of these queries finds.",
    )
    target_file = models.ForeignKey(
        "recipients.PeopleFile",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="deliveries",
        help_text="And everybody in this file, with its columns as personalization fields.",
    )
    excluded_lists = models.ManyToManyField(
        "recipients.RecipientList",
        blank=True,
        related_name="+",
        help_text="Nobody on one of these lists gets it.",
    )
    excluded_queries = models.ManyToManyField(
        "recipients.SavedQuery",
        blank=True,
        related_name="+",
        help_text="Nobody whom one of these queries finds gets it.",
    )
    limit_mode = models.CharField(
        "limit delivery to",
        max_length=7,
        choices=ShareMode,
        blank=True,
        default=ShareMode.NONE,
        help_text="A random sample of those who are left after the exclusions; the same whenever it is analysed again.",
    )
    limit_size = models.FloatField("size of the sample", default=0, validators=[MinValueValidator(0)])
    control_mode = models.CharField(
        "control group",
        max_length=7,
        choices=ShareMode,
        blank=True,
        default=ShareMode.NONE,
        help_text="People drawn from the target at random who get nothing, for comparison. They are listed.",
    )
    control_size = models.FloatField("size of the control group", default=0, validators=[MinValueValidator(0)])
    draw = models.BigIntegerField(default=new_seed, editable=False, help_text="Fixes sample, control group and seeds.")
    seed_groups = models.ManyToManyField(
        "deliveries.SeedGroup",
        blank=True,
        related_name="deliveries",
        help_text="Their addresses get the real send, at random places of it, and are in none of its figures.",
    )
    state = models.SmallIntegerField(
        choices=[(state.value, state.label) for state in DeliveryState],
        default=DeliveryState.EDITING,
        editable=False,
        db_index=True,
    )
    state_note = models.CharField(
        max_length=500, blank=True, editable=False, help_text="Why the delivery stands where it stands."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    editors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        verbose_name="who may edit",
        help_text="Nobody ticked: everybody who may change deliveries. Else only these people and whoever created it.",
    )
    reviewers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        verbose_name="who may start it",
        help_text="Nobody ticked: everybody who may start deliveries. Else one of these people must confirm, even when "
        "somebody else prepared it.",
    )
    proof_of = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, editable=False, related_name="proofs", help_text="What it tries."
    )
    proof_number = models.PositiveIntegerField(null=True, editable=False)
    proof_fingerprint = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of the delivery's content when the proof was made."
    )

    content = models.ForeignKey(
        "deliveries.Content",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        help_text="The frozen content of the last complete analysis.",
    )
    fingerprint = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of content and target when they were analysed."
    )
    analysed_at = models.DateTimeField(null=True, editable=False)
    analysed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    population = models.PositiveIntegerField(null=True, editable=False, help_text="People found before exclusions.")
    to_deliver = models.PositiveIntegerField(null=True, editable=False, help_text="Messages to the target.")
    seeds = models.PositiveIntegerField(default=0, editable=False, help_text="Messages to seed addresses, besides.")
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    contact_at = models.DateTimeField(
        "contact date", null=True, blank=True, help_text="When the first message leaves. Empty: once it is confirmed."
    )
    contact_zone = models.CharField("time zone of the contact date", max_length=64, blank=True)
    contact_by_recipient = models.BooleanField(
        "in each recipient's own time zone",
        default=False,
        help_text="Day and time count where the recipient lives; who has no time zone gets it in the one above.",
    )
    contact_times = ArrayField(
        models.DateTimeField(),
        default=list,
        editable=False,
        help_text="When the contact date comes in the recipients' own time zones: one moment for each wave.",
    )
    starts_at = models.DateTimeField(
        null=True, editable=False, db_index=True, help_text="When a confirmed delivery begins."
    )
    valid_until = models.DateTimeField(null=True, editable=False, help_text="No message leaves after it.")
    resources_until = models.DateTimeField(null=True, editable=False, help_text="Mirror pages end then.")
    values_purged_at = models.DateTimeField(
        null=True, editable=False, help_text="When the personal values were deleted."
    )
    log_purged_at = models.DateTimeField(null=True, editable=False, help_text="When its log was deleted.")
    kept = models.JSONField(
        null=True, editable=False, help_text="Figures that were counted from rows of the log before it was deleted."
    )
    claimed_at = models.DateTimeField(null=True, editable=False, help_text="When a worker last took a part of it.")
    handed_out = models.BigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Messages that workers took: deliveries of one priority get as many.",
    )
    losses = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Connections lost in a row without one answer."
    )
    rests_until = models.DateTimeField(null=True, editable=False, help_text="Workers leave it alone until then.")

    objects = DeliveryQuerySet.as_manager()

    class Meta(Properties.Meta):
        abstract = False
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        permissions = [
            ("start_delivery", "Can start deliveries"),
            ("control_delivery", "Can pause, resume, stop and repair running deliveries"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in DeliveryState]), name="delivery_state_known"
            ),
            models.UniqueConstraint(fields=["proof_of", "proof_number"], name="proof_number_unique"),
        ]

    @property
    def local_contact(self) -> datetime | None:
        """Day and time (naive) that count where each recipient lives; ``None`` when one moment counts for all."""
        if not self.contact_by_recipient or self.contact_at is None:
            return None
        return self.contact_at.astimezone(ZoneInfo(self.contact_zone or "UTC")).replace(tzinfo=None)

    @property
    def first_contact_at(self) -> datetime | None:
        """When the first message may leave; ``None``: as soon as the delivery is confirmed."""
        return self.contact_times[0] if self.contact_times else self.contact_at

    @property
    def starts_later(self) -> bool:
        """Confirmed now, it would wait for its contact date."""
        return self.first_contact_at is not None and self.first_contact_at > now()

    @property
    def to_send(self) -> int:
        """Messages written by the analysis, those to seed addresses included."""
        return (self.to_deliver or 0) + self.seeds

    @property
    def current_state(self) -> DeliveryState:
        """The state as its enum."""
        return DeliveryState(self.state)


class Level(models.TextChoices):
    """Weight of a journal line."""

    INFO = "info", "Information"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"


class JournalLine(models.Model):
    """What an analysis, a worker or a person did to a delivery, in order."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="journal")
    at = models.DateTimeField()
    level = models.CharField(max_length=7, choices=Level.choices, default=Level.INFO)
    sentence = models.TextField()
    check_key = models.CharField(max_length=60, blank=True, help_text="The check of the analysis that says so.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.sentence


class ExclusionReason(models.TextChoices):
    """Why a person of the population gets no message."""

    NO_ADDRESS = "no_address", "Address not specified"
    BARRED = "barred", "In a list or query that is excluded"
    DUPLICATE = "duplicate", "Found several times (counted once)"
    DENYLISTED = "denylisted", "Denylisted: asked not to be written to"
    QUARANTINED = "quarantined", "Address in quarantine"
    NO_CONSENT = "no_consent", "No consent for the service"
    NOT_DRAWN = "not_drawn", "Not in the random sample"
    CONTROL_GROUP = "control_group", "Control group: gets nothing, for comparison"


class Exclusion(models.Model):
    """One person left out by the last analysis, and why."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="exclusions")
    recipient_id = models.BigIntegerField()
    address = models.CharField(max_length=320, blank=True)
    reason = models.CharField(max_length=16, choices=ExclusionReason.choices)

    class Meta:
        indexes = [models.Index(fields=["recipient_id"], name="exclusion_by_recipient")]

    def __str__(self) -> str:
        return f"{self.address}: {self.get_reason_display()}"
