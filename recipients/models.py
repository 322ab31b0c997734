"""Who may be written to: people, the lists they are on, and who or what must not be written to."""

import re
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower

from recipients.addresses import AddressError, key, normalise

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
"""BCP 47, as far as a form can tell."""

BUILT_IN_FIELDS = ("address", "first_name", "last_name", "language", "time_zone", "mail_format")
COLUMN_FIELDS = (*BUILT_IN_FIELDS, "may_be_tracked")
"""All fields that are no custom attributes; files of people fill the built-in ones."""


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
        if self.name in COLUMN_FIELDS:
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
    is_public = models.BooleanField(
        "shown to its subscribers",
        default=True,
        help_text="People find its name on their preferences page and may leave it, or take it up again, there.",
    )
    has_form = models.BooleanField(
        "public subscription form",
        default=False,
        help_text="Anybody may ask for it on a page of its own; they are subscribed once they follow the link in the "
        "mail they get.",
    )
    sender_name = models.CharField("sender’s name", max_length=200, blank=True, help_text="Of that mail.")
    sender_address = models.EmailField(
        "sender’s address", max_length=254, blank=True, help_text="Of that mail; it leaves by the route of its domain."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Mails need a sender, and names no line break."""
        if self.has_form and not self.sender_address:
            raise ValidationError({"sender_address": "Write the sender’s address of the mails that the form sends."})


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


class SubscriptionRequest(models.Model):
    """Somebody asked for a service on its form. Nobody is subscribed before the link in the mail is followed; then, or
    after a week, this row goes."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=320)
    address_key = models.CharField(max_length=320, db_index=True)
    language = models.CharField(max_length=8)
    asked_at = models.DateTimeField(db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, help_text="Empty once the mail is sent, or given up.")
    sentence = models.TextField(blank=True, help_text="Why the mail could not be sent.")
    sent_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # The few whose mail still has to leave.
            models.Index(
                fields=["next_attempt_at"], condition=models.Q(next_attempt_at__isnull=False), name="request_to_send"
            )
        ]

    def __str__(self) -> str:
        return f"Request {self.pk} for {self.service_id}"


class ConsentSubject(models.TextChoices):
    """What a consent is about."""

    ALL = "all", "All mails"
    SERVICE = "service", "A service"
    GENERAL = "general", "Consent in general"


class ConsentEvent(models.Model):
    """One line of a person's consent history: given or withdrawn, for what, when, where. Written once (a trigger
    refuses changes); it goes only with the person."""

    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="consent_events", db_index=False)
    at = models.DateTimeField()
    subject = models.CharField(max_length=7, choices=ConsentSubject)
    service = models.ForeignKey(
        Service, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    service_name = models.CharField(
        "service", max_length=200, blank=True, help_text="As it was called then; it outlives the service."
    )
    state = models.CharField(max_length=9, choices=Consent)
    source = models.CharField(max_length=200, help_text="Where the wish was expressed.")
    by = models.CharField(max_length=150, blank=True, help_text="Who wrote it down; empty: the person, or the system.")
    message_id = models.BigIntegerField(null=True, help_text="The message whose link or header was used.")

    class Meta:
        ordering = ["-id"]
        verbose_name = "line of the consent history"
        verbose_name_plural = "consent history"
        indexes = [
            models.Index(fields=["recipient", "-id"], name="consent_of_recipient"),
            # Figures ask who withdrew by a delivery's messages, which are one range.
            models.Index(
                fields=["message_id"], condition=models.Q(message_id__isnull=False), name="consent_by_message"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service_name or self.get_subject_display()}: {self.get_state_display().lower()}"


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


class ErasedWish(models.Model):
    """Somebody whose data were erased had asked not to be written to: a keyed hash of the address, nothing else."""

    digest = models.BinaryField(max_length=32, unique=True)
    source = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Wish {self.pk} of a person who was erased"


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
