"""Addresses that must not be written to because they fail, and when that is so."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class QuarantineStatus(models.TextChoices):
    """What is known of an address that failed or of which a person decided."""

    UNKNOWN = "unknown", "Unknown"
    WITH_ERRORS = "with_errors", "With errors"
    VALID = "valid", "Valid"
    QUARANTINE = "quarantine", "Quarantine"
    DENYLISTED = "denylisted", "Denylisted"
    ALLOWLISTED = "allowlisted", "Allowlisted"


HELD_BACK = (QuarantineStatus.QUARANTINE, QuarantineStatus.DENYLISTED)
"""With one of these an address gets nothing."""


class Quarantine(models.Model):
    """An address that failed, or of which a person decided: how often, why, and whether it may be written to."""

    address_key = models.CharField("address", max_length=320, unique=True)
    domain = models.CharField(max_length=255, editable=False, default="")
    status = models.CharField(max_length=11, choices=QuarantineStatus.choices, default=QuarantineStatus.QUARANTINE)
    errors = models.PositiveIntegerField("number of errors", default=0, editable=False)
    errors_since = models.DateTimeField("first error", null=True, blank=True, editable=False)
    last_error_at = models.DateTimeField("last error", null=True, blank=True, editable=False)
    returned = models.BooleanField(
        default=False, editable=False, help_text="The last error came as a mail after the server had taken the message."
    )
    reason = models.CharField(max_length=100, blank=True)
    text = models.TextField("the server's words", blank=True)
    rule = models.CharField("rule that decided", max_length=100, blank=True, editable=False)
    delivery_id = models.BigIntegerField("delivery", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "address in quarantine"
        verbose_name_plural = "quarantine"
        indexes = [
            # What accepted messages and quiet days forget; a small part of the table.
            models.Index(
                fields=["address_key"], condition=models.Q(status="with_errors"), name="quarantine_with_errors"
            ),
            # An outage is looked for, and undone, by domain and time.
            models.Index(fields=["domain", "status", "last_error_at"], name="quarantine_by_domain"),
            # Figures ask how many addresses a delivery brought here.
            models.Index(
                fields=["delivery_id"], condition=models.Q(status="quarantine"), name="quarantine_by_delivery"
            ),
        ]

    def __str__(self) -> str:
        return self.address_key

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the domain in step with the address."""
        self.domain = self.address_key.rpartition("@")[2][:255]
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def is_held_back(self) -> bool:
        """The address gets nothing."""
        return self.status in HELD_BACK


class QuarantinePolicyManager(models.Manager["QuarantinePolicy"]):
    """The one row of the policy."""

    def current(self) -> "QuarantinePolicy":
        """The policy, as it comes with the project until somebody changes it."""
        return self.first() or QuarantinePolicy(pk=QuarantinePolicy.ONLY)

    def ensured(self) -> "QuarantinePolicy":
        """The same as a row that can be edited."""
        row, _ = self.get_or_create(pk=QuarantinePolicy.ONLY)
        return row


class QuarantinePolicy(models.Model):
    """When errors put an address in quarantine, and when they are forgotten."""

    ONLY = 1

    tolerated_errors = models.PositiveSmallIntegerField(
        default=5,
        validators=[MaxValueValidator(100)],
        help_text="Soft errors in a row that an address may have; one more puts it in quarantine. "
        "A hard error always does.",
    )
    hours_between_errors = models.PositiveSmallIntegerField(
        default=24,
        validators=[MaxValueValidator(720)],
        help_text="Errors of one address that follow each other faster count once.",
    )
    quiet_days = models.PositiveSmallIntegerField(
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="After so many days without an error, the errors of an address are forgotten.",
    )
    quiet_days_if_full = models.PositiveSmallIntegerField(
        "quiet days of a full mailbox",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="The same where the last error was a full mailbox.",
    )
    outage_addresses = models.PositiveSmallIntegerField(
        "addresses that make an outage",
        default=20,
        help_text="While so many addresses of one domain fail for a reason that lies with their server (unreachable, "
        "invalid domain, refused), its soft errors put nobody in quarantine. 0: never an outage.",
    )
    outage_days = models.PositiveSmallIntegerField(
        "longest outage, in days",
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="An address whose errors go on for longer is put in quarantine all the same.",
    )
    proving_days = models.PositiveSmallIntegerField(
        "days until a message counts as arrived",
        default=3,
        validators=[MaxValueValidator(30)],
        help_text="For an address whose last error came back as a mail: a server that takes a message and returns it "
        "later did not deliver it. Its errors are forgotten once a message has not come back for so long.",
    )

    objects = QuarantinePolicyManager()

    class Meta:
        verbose_name = verbose_name_plural = "quarantine rules"

    def __str__(self) -> str:
        return "Quarantine rules"
