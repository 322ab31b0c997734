"""How a delivery is spread over time."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from deliveries.waves import Wave, WavesProblem, plan


class WavesMode(models.TextChoices):
    """How a delivery is spread over time."""

    NONE = "none", "All at once"
    EQUAL = "equal", "Several waves of the same size"
    CALENDAR = "calendar", "Waves by a calendar"


class WavesProperties(models.Model):
    """Waves of one size, or by a calendar."""

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

    class Meta:
        abstract = True

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
