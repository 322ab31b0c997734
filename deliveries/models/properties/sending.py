"""How messages leave: by which route, in what order, how long and how often."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Priority(models.IntegerChoices):
    """Which delivery goes first when several are running."""

    LOW = 0, "Low"
    NORMAL = 1, "Normal"
    HIGH = 2, "High"


class MailFormats(models.TextChoices):
    """Which parts a message has."""

    RECIPIENT = "recipient", "Use recipient preferences"
    BOTH = "both", "Let recipient mail client choose the most appropriate format"
    TEXT = "text", "Send all messages in text format"


class InDoubtPolicy(models.TextChoices):
    """What becomes of a message that was handed over and whose answer never came."""

    ASK = "ask", "Leave it to a person: it may have arrived"
    RESEND = "resend", "Send it again: it may arrive twice"


class SendingProperties(models.Model):
    """Route, batches, priority, retries and duration."""

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
    mail_formats = models.CharField(
        max_length=9,
        choices=MailFormats,
        default=MailFormats.RECIPIENT,
        help_text="HTML and text leave together, always in UTF-8. Who prefers text gets the text alone; the HTML "
        "content is then the mirror page only.",
    )
    test_smtp = models.BooleanField(
        "test SMTP delivery",
        default=False,
        help_text="Offer every address to the server and take it back: nothing is sent. The log tells what the server "
        "said to each.",
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
