"""Form fields for time: durations as people write them, and a moment in a time zone of choice."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError

from campaign import ui
from campaign.lib.durations import DurationError, parse, spell


class DurationField(forms.CharField):
    """A duration such as ``1h 30m``."""

    widget = ui.TextInput

    def prepare_value(self, value: Any) -> Any:
        """As it is written."""
        return spell(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> Any:
        """A timedelta, or None for nothing typed. Raises ValidationError."""
        text = super().to_python(value)
        if not text:
            return None
        try:
            return parse(text)
        except DurationError as error:
            raise ValidationError(str(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Two ways to write the same duration are no change."""
        try:
            return bool(initial != self.to_python(data))
        except ValidationError:
            return True


class LocalTimeInput(forms.DateTimeInput):
    """The browser's own picker of day and time."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"class": "c-input"}, format="%Y-%m-%dT%H:%M")


def zones() -> list[tuple[str, str]]:
    """All time zones, by name."""
    return [(name, name.replace("_", " ")) for name in sorted(available_timezones())]


def moment(local: datetime, zone: str) -> datetime:
    """The moment at which clocks in ``zone`` show ``local``; the earlier one when they show it twice.

    Raises ValidationError for a time that clocks skip.
    """
    at = local.replace(tzinfo=ZoneInfo(zone))
    utc = at.astimezone(ZoneInfo("UTC"))
    if utc.astimezone(at.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValidationError(
            f"Clocks in {zone} skip {local:%H:%M} on that day: daylight saving time begins. Choose another time."
        )
    return utc
