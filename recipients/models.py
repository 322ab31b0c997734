"""Who may be written to: people, the lists they are on, and who or what must not be written to."""

import re
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from recipients.addresses import AddressError, key, normalise

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
"""BCP 47, as far as a form can tell."""

BUILT_IN_FIELDS = ("address", "first_name", "last_name", "language", "time_zone", "mail_format")


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
    attributes = models.JSONField("custom attributes", default=dict, blank=True)
    consent = models.CharField(max_length=9, choices=Consent.choices, default=Consent.UNKNOWN)
    consent_at = models.DateTimeField("consent changed at", null=True, blank=True)
    consent_source = models.CharField(max_length=200, blank=True, help_text="Where the consent comes from.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
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


class AttributeKind(models.TextChoices):
    """Type of a custom attribute's values."""

    TEXT = "text", "Text"
    NUMBER = "number", "Number"
    DATE = "date", "Date"
    DATETIME = "datetime", "Date and time"
    BOOLEAN = "boolean", "Yes or no"


class AttributeDefinition(models.Model):
    """A custom attribute that recipients may have; authors write it as ``recipient.<name>``."""

    name = models.CharField(
        max_length=63,
        unique=True,
        validators=[RegexValidator(r"\A[a-z][a-z0-9_]*\Z", "Use small letters, digits and underscores only.")],
    )
    label = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=8, choices=AttributeKind.choices, default=AttributeKind.TEXT)

    class Meta:
        ordering = ["name"]
        verbose_name = "custom attribute"

    def __str__(self) -> str:
        return self.label or self.name

    def clean(self) -> None:
        """Names of built-in fields are taken."""
        if self.name in BUILT_IN_FIELDS:
            raise ValidationError({"name": f"“{self.name}” is a built-in field. Choose another name."})


class RecipientList(models.Model):
    """A named group of recipients. Names differ by more than case."""

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    recipients = models.ManyToManyField(Recipient, through="ListMembership", related_name="lists")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "list"
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="recipient_list_name_in_any_case",
                violation_error_message="A list of this name exists (case makes no difference). Choose another.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ListMembership(models.Model):
    """A recipient on a list."""

    list = models.ForeignKey(RecipientList, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="memberships")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "recipient"], name="membership_once")]

    def __str__(self) -> str:
        return f"Recipient {self.recipient_id} on list {self.list_id}"


class Service(models.Model):
    """Something people agree to get, such as a newsletter; a delivery may reach only those who did."""

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """A recipient's consent to a service, until it is withdrawn."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="subscriptions", db_index=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="subscriptions")
    source = models.CharField(max_length=200, blank=True, help_text="Where the consent comes from.")
    given_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="Empty while the consent stands.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "recipient"], name="subscription_once")]

    def __str__(self) -> str:
        return f"Recipient {self.recipient_id} to service {self.service_id}"


class SavedQuery(models.Model):
    """Conditions on recipients under a name; ``definition`` is what :mod:`recipients.queries.definition` reads."""

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    definition = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "saved query"
        verbose_name_plural = "saved queries"

    def __str__(self) -> str:
        return self.name


class QuarantineStatus(models.TextChoices):
    """What is held against an address."""

    QUARANTINE = "quarantine", "Quarantine"
    RELEASED = "released", "Released"


class Quarantine(models.Model):
    """An address that must not be written to because it fails."""

    address_key = models.CharField("address", max_length=320, unique=True)
    status = models.CharField(max_length=10, choices=QuarantineStatus.choices, default=QuarantineStatus.QUARANTINE)
    reason = models.CharField(max_length=100, blank=True)
    text = models.TextField("the server's words", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "address in quarantine"
        verbose_name_plural = "quarantine"

    def __str__(self) -> str:
        return self.address_key


class Denylist(models.Model):
    """A person who asked not to be written to."""

    recipient = models.OneToOneField(Recipient, on_delete=models.CASCADE, related_name="denied")
    source = models.CharField(max_length=200, help_text="Where the wish was expressed.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "person on the denylist"
        verbose_name_plural = "denylist"

    def __str__(self) -> str:
        return str(self.recipient)


class ImportState(models.TextChoices):
    """How far an import is."""

    UPLOADED = "uploaded", "Waiting for its columns"
    QUEUED = "queued", "Waiting for a worker"
    RUNNING = "running", "In progress"
    DONE = "done", "Done"
    FAILED = "failed", "Nothing imported"


class ExistingChoice(models.TextChoices):
    """What an import does with people who are known already."""

    UPDATE = "update", "Update them (an empty cell never erases what is known)"
    SKIP = "skip", "Leave them as they are"


class RecipientImport(models.Model):
    """A CSV file that was uploaded, what its columns mean, and what came of it."""

    file = models.FileField(upload_to="imports/")
    file_name = models.CharField(max_length=200, editable=False)
    mapping = models.JSONField(default=dict)
    existing = models.CharField(
        "people who are known already", max_length=6, choices=ExistingChoice.choices, default=ExistingChoice.UPDATE
    )
    list_name = models.CharField(
        "put everybody on the list", max_length=200, blank=True, help_text="A list that does not exist is made."
    )
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.UPLOADED, editable=False)
    octets = models.BigIntegerField(default=0, editable=False, help_text="Bytes of the file that have been read.")
    created = models.PositiveIntegerField(default=0, editable=False)
    known = models.PositiveIntegerField(default=0, editable=False)
    rejected = models.PositiveIntegerField(default=0, editable=False)
    rejects = models.FileField(upload_to="imports/", blank=True, editable=False)
    sentence = models.TextField(blank=True, editable=False, help_text="Why nothing was imported.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "import"

    def __str__(self) -> str:
        return self.file_name


class PeopleFile(models.Model):
    """A CSV file of people with columns of its own: who gets a delivery, and what it says to each.

    ``columns`` are the names under which authors write them, such as ``file.amount``, in the order of the file.
    """

    file = models.FileField(upload_to="targets/", blank=True)
    file_name = models.CharField(max_length=200, editable=False)
    columns = models.JSONField(default=list, editable=False)
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.QUEUED, editable=False)
    lines = models.PositiveIntegerField(default=0, editable=False, help_text="Good lines.")
    created = models.PositiveIntegerField(default=0, editable=False, help_text="People who were not known before.")
    rejected = models.PositiveIntegerField(default=0, editable=False)
    rejects = models.FileField(upload_to="targets/", blank=True, editable=False)
    sentence = models.TextField(blank=True, editable=False, help_text="Why the file cannot be used.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "file of people"
        verbose_name_plural = "files of people"

    def __str__(self) -> str:
        return self.file_name


class PeopleFileLine(models.Model):
    """A good line of such a file: whom it is about, and its values by column name."""

    file = models.ForeignKey(PeopleFile, on_delete=models.CASCADE, related_name="people", db_index=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="file_lines", db_constraint=False)
    values = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["file", "recipient"], name="people_file_line")]

    def __str__(self) -> str:
        return f"Line {self.pk} of file {self.file_id}"
