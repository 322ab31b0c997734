"""How long a delivery may send, how long its pages stay, and whether there are any."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class MirrorMode(models.TextChoices):
    """When a message has a mirror page."""

    DEFAULT = "default", "Default: generated if the content contains the mirror link"
    FORCE = "force", "Force the generation of the mirror page"
    NONE = "none", "Do not generate the mirror page"
    IDENTIFIER = "identifier", "Generates a mirror page accessible using only the message identifier"


class ValidityProperties(models.Model):
    """Durations or dates, the mirror page's mode, and the time a message may take to be made."""

    validity = models.DurationField(
        "delivery duration",
        default=timedelta(days=5),
        validators=[MinValueValidator(timedelta(minutes=1), "Write at least 1m.")],
        help_text="So long after its start the delivery may send. What is left then is cancelled.",
    )
    resources_validity = models.DurationField(
        "validity limit of resources",
        default=timedelta(days=60),
        validators=[MinValueValidator(timedelta(minutes=1), "Write at least 1m.")],
        help_text="So long after its start the delivery's mirror pages stay. Then the personal values are deleted.",
    )
    explicit_dates = models.BooleanField(
        "explicitly set validity dates",
        default=False,
        help_text="The two dates below then count instead of the two durations above.",
    )
    ends_at = models.DateTimeField(
        "end of the delivery", null=True, blank=True, help_text="No message leaves after it."
    )
    resources_end_at = models.DateTimeField(
        "end of the resources", null=True, blank=True, help_text="Mirror pages stay until then."
    )
    mirror_mode = models.CharField(
        "mirror page mode",
        max_length=10,
        choices=MirrorMode,
        default=MirrorMode.DEFAULT,
        help_text="The mirror page is the HTML content of one message in a browser. With the last mode the mail needs "
        "no link: pages are opened from the delivery log.",
    )
    personalization_time = models.DurationField(
        "maximum personalization time",
        default=timedelta(seconds=5),
        validators=[
            MinValueValidator(timedelta(seconds=1), "Write at least 1s."),
            MaxValueValidator(timedelta(minutes=1), "Write at most 1m."),
        ],
        help_text="A message that takes longer to be made fails; the others leave.",
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Explicit dates are both there, in order, and leave the pages as long as messages leave."""
        super().clean()
        if not self.explicit_dates:
            if self.resources_validity and self.validity and self.resources_validity < self.validity:
                raise ValidationError(
                    {"resources_validity": "Write at least the delivery duration: messages still leave until then."}
                )
            return
        missing = {
            name: "Choose a date, or untick “explicitly set validity dates”."
            for name in ("ends_at", "resources_end_at")
            if getattr(self, name) is None
        }
        if missing:
            raise ValidationError(missing)
        if self.ends_at and self.resources_end_at and self.resources_end_at < self.ends_at:
            raise ValidationError({"resources_end_at": "Choose a date that is not before the end of the delivery."})

    def ends(self, start: datetime) -> datetime:
        """When a delivery that starts then may send no more."""
        return self.ends_at if self.explicit_dates and self.ends_at else start + self.validity

    def resources_end(self, start: datetime) -> datetime:
        """When the mirror pages of a delivery that starts then are taken away."""
        if self.explicit_dates and self.resources_end_at:
            return self.resources_end_at
        return start + self.resources_validity
