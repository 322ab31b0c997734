"""People who may be written to."""

import re
from zoneinfo import available_timezones

from django.contrib.postgres.indexes import OpClass
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower

from recipients.addresses import AddressError, key, normalise

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
"""BCP 47, as far as a form can tell."""

BUILT_IN_FIELDS = ("address", "first_name", "last_name", "language", "time_zone", "mail_format", "may_be_tracked")
"""All fields that are no custom attributes; imports and files of people fill them."""


class Consent(models.TextChoices):
    """Whether a person agreed to be written to."""

    UNKNOWN = "unknown", "Unknown"
    GIVEN = "given", "Given"
    WITHDRAWN = "withdrawn", "Withdrawn"


class MailFormat(models.TextChoices):
    """What a person wants to get."""

    BOTH = "", "HTML and text: the mail client chooses"
    TEXT = "text", "Text only"


class Recipient(models.Model):
    """A person who may be written to. An address belongs to one recipient, whatever its case or spelling."""

    address = models.CharField("e-mail address", max_length=320, null=True, blank=True)
    address_key = models.CharField(max_length=320, null=True, unique=True, editable=False)
    first_name = models.CharField(max_length=200, blank=True)
    last_name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=16, blank=True, help_text="For example en or fr-CA.")
    time_zone = models.CharField(max_length=64, blank=True, help_text="For example Europe/Zurich.")
    mail_format = models.CharField(max_length=4, blank=True, choices=MailFormat, default=MailFormat.BOTH)
    may_be_tracked = models.BooleanField(
        "may be tracked",
        default=True,
        db_default=True,
        help_text="Unticked: this person’s messages carry plain links and no picture that says when they are opened.",
    )
    attributes = models.JSONField("custom attributes", default=dict, blank=True)
    consent = models.CharField(max_length=9, choices=Consent.choices, default=Consent.UNKNOWN)
    consent_at = models.DateTimeField("consent changed at", null=True, blank=True)
    consent_source = models.CharField(max_length=200, blank=True, help_text="Where the consent comes from.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        permissions = [
            ("export_recipient", "Can export everything that is held about a person"),
            ("erase_recipient", "Can erase everything that is held about a person"),
        ]
        indexes = [
            # Search by the beginning of an address or a name in the admin: LIKE 'x%' needs text_pattern_ops.
            models.Index(fields=["address_key"], name="recipient_key_prefix", opclasses=["text_pattern_ops"]),
            models.Index(OpClass(Lower("last_name"), name="text_pattern_ops"), name="recipient_last_name_prefix"),
            models.Index(OpClass(Lower("first_name"), name="text_pattern_ops"), name="recipient_first_name_prefix"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(address=None, address_key=None)
                | models.Q(address__isnull=False, address_key__isnull=False),
                name="recipient_key_with_address",
            )
        ]

    def __str__(self) -> str:
        return self.address or f"Recipient {self.pk} without address"

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the key in step with the address."""
        self.set_address(self.address)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def clean(self) -> None:
        """Normalise the address; its sentence goes beside the field. Refuse nobody, and settings that mean nothing."""
        if not (self.address or self.first_name or self.last_name):
            raise ValidationError({"address": "Write an address, or at least a name."})
        if self.time_zone and self.time_zone not in available_timezones():
            raise ValidationError({"time_zone": "There is no such time zone. Write one such as Europe/Zurich."})
        if self.language and not _LANGUAGE.fullmatch(self.language):
            raise ValidationError({"language": "This is no language code. Write one such as en or fr-CA."})
        try:
            self.set_address(self.address)
        except AddressError as error:
            raise ValidationError({"address": str(error)}) from error
        if self.address_key and Recipient.objects.filter(address_key=self.address_key).exclude(pk=self.pk).exists():
            raise ValidationError({"address": "Another recipient has this address already."})

    def set_address(self, address: str | None) -> None:
        """Set address and key together; empty means that there is none. Raises :class:`AddressError`."""
        self.address = normalise(address) if address and address.strip() else None
        self.address_key = key(self.address) if self.address else None
