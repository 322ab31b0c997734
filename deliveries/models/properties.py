"""What a delivery template and a delivery share, defined once."""

from datetime import timedelta
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from deliveries.waves import Wave, WavesProblem, plan


class AttachmentRole(models.TextChoices):
    """How a file travels with a message."""

    ATTACHED = "attached", "Attached file"
    INLINE = "inline", "Image inside the content"


class Attachment(models.Model):
    """A file that travels with messages. Never changed after upload, so that deliveries may share it."""

    name = models.CharField("file name", max_length=200)
    content_type = models.CharField(max_length=100)
    role = models.CharField(max_length=8, choices=AttachmentRole.choices, default=AttachmentRole.ATTACHED)
    content_id = models.SlugField(
        "content identifier",
        max_length=100,
        blank=True,
        help_text="For an image inside the content: write <code>cid:identifier</code> as its address in the HTML.",
    )
    data = models.BinaryField(editable=False)
    size = models.PositiveIntegerField(editable=False, help_text="bytes")

    def __str__(self) -> str:
        return self.name


class Priority(models.IntegerChoices):
    """Which delivery goes first when several are running."""

    LOW = 0, "Low"
    NORMAL = 1, "Normal"
    HIGH = 2, "High"


class WavesMode(models.TextChoices):
    """How a delivery is spread over time."""

    NONE = "none", "All at once"
    EQUAL = "equal", "Several waves of the same size"
    CALENDAR = "calendar", "Waves by a calendar"


class InDoubtPolicy(models.TextChoices):
    """What becomes of a message that was handed over and whose answer never came."""

    ASK = "ask", "Leave it to a person: it may have arrived"
    RESEND = "resend", "Send it again: it may arrive twice"


class Properties(models.Model):
    """Content and settings that a template hands on to the deliveries made from it."""

    label = models.CharField(max_length=200, help_text="Only people here see it; it names the delivery in every list.")
    code = models.CharField(
        "delivery code", max_length=64, blank=True, help_text="Optional internal code, for filters and reports."
    )
    description = models.TextField(blank=True)

    sender_name = models.CharField(
        max_length=200, blank=True, help_text="The name recipients see. Personalization is allowed."
    )
    sender_address = models.CharField(
        max_length=320, blank=True, help_text="The From address. Answers go there unless a reply address is set."
    )
    reply_name = models.CharField(max_length=200, blank=True)
    reply_address = models.CharField(
        max_length=320, blank=True, help_text="Where answers go; empty means the sender address."
    )
    subject = models.CharField(
        max_length=500, blank=True, help_text="Personalization is allowed. 50 characters or fewer read best on a phone."
    )
    html = models.TextField("HTML content", blank=True)
    text = models.TextField(
        "text content", blank=True, help_text="Empty means: made from the HTML content at the analysis."
    )
    language = models.CharField(
        max_length=16, blank=True, help_text="Language of the content, for example en or fr-CA."
    )
    attachments = models.ManyToManyField(Attachment, blank=True)

    route = models.ForeignKey(
        "deliveries.Route",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="How the mail leaves. Empty means the default route.",
    )
    part_size = models.PositiveIntegerField(
        "message batch quantity",
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(10_000)],
        help_text="Messages that one worker takes at a time. 0 = automatic.",
    )
    priority = models.SmallIntegerField(
        choices=Priority, default=Priority.NORMAL, help_text="Of the deliveries that are running, higher ones go first."
    )
    waves_mode = models.CharField(
        "waves", max_length=8, choices=WavesMode, default=WavesMode.NONE, help_text="Spread the messages over time."
    )
    wave_size = models.CharField(
        "size of a wave", max_length=16, blank=True, help_text="For waves of the same size: 5000 (messages) or 10%."
    )
    wave_interval = models.DurationField(
        "time between waves",
        default=timedelta(days=1),
        validators=[MinValueValidator(timedelta(seconds=1), "Write at least 1s.")],
        help_text="For waves of the same size, for example 2h or 1d.",
    )
    wave_calendar = models.TextField(
        "calendar of waves",
        blank=True,
        help_text="For waves by a calendar, one a line: time after the start and size, for example “0 500”, “2h 10%”, "
        "“1d 100%”. The last wave has all that is left.",
    )
    max_retries = models.PositiveSmallIntegerField(
        "retries",
        default=5,
        validators=[MaxValueValidator(100)],
        help_text="How often a message that failed for the time being is tried again.",
    )
    retry_period = models.DurationField(
        default=timedelta(hours=1),
        validators=[MinValueValidator(timedelta(seconds=1), "Write at least 1s.")],
        help_text="Time between two attempts. They are spread over half as long again, not sent in a burst.",
    )
    validity = models.DurationField(
        "delivery duration",
        default=timedelta(days=5),
        validators=[MinValueValidator(timedelta(minutes=1), "Write at least 1m.")],
        help_text="So long after its start the delivery may send. What is left then is cancelled.",
    )
    in_doubt_policy = models.CharField(
        "messages in doubt",
        max_length=6,
        choices=InDoubtPolicy,
        default=InDoubtPolicy.ASK,
        help_text="When a connection breaks after a message was handed over, nobody knows whether it arrived.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @classmethod
    def property_names(cls) -> tuple[str, ...]:
        """Names of the plain fields that templates and deliveries share (attachments are many-to-many, so apart)."""
        return tuple(field.name for field in Properties._meta.local_fields)

    def clean(self) -> None:
        """What is written about waves must be readable; whether they fit the target is for the analysis to say."""
        super().clean()
        try:
            self.waves(total=1)
        except WavesProblem as problem:
            field = "wave_calendar" if self.waves_mode == WavesMode.CALENDAR else "wave_size"
            raise ValidationError({field: str(problem)}) from problem

    def waves(self, total: int) -> tuple[Wave, ...]:
        """How ``total`` messages are spread over time. Raises :class:`deliveries.waves.WavesProblem`."""
        return plan(
            total, self.waves_mode, size=self.wave_size, interval=self.wave_interval, calendar=self.wave_calendar
        )

    def shared(self) -> dict[str, Any]:
        """The shared plain values, ready as keyword arguments of another template or delivery."""
        return {name: getattr(self, name) for name in self.property_names()}

    def take_attachments(self, other: "Properties") -> Self:
        """Attach the same files as ``other`` (both saved)."""
        self.attachments.set(other.attachments.all())
        return self
