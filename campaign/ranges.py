"""What a form says of a number or a duration out of range: one sentence with the range and the unit, for every form."""

from datetime import timedelta
from typing import Any, Final, TypeVar

from django import forms
from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models

from campaign.lib.durations import spell

Form = TypeVar("Form", bound="forms.ModelForm[Any]")
FormField = TypeVar("FormField", bound=forms.Field | None)

UNITS: Final = {
    "messages_per_second": "messages per second",
    "seconds": "seconds",
    "hours": "hours",
    "days": "days",
}
"""What a field counts, by the words in its name."""

_CODES: Final = ("min_value", "max_value", "invalid")
_ENDLESS: Final = 2**31 - 1
"""Nobody is told of the largest number that the database keeps."""


def say_range(field: FormField, source: "models.Field[Any, Any] | None") -> FormField:
    """``field``, which says the range of the model's field ``source`` whatever is wrong with a number or a duration."""
    if isinstance(source, models.IntegerField | models.FloatField | models.DurationField) and not source.choices:
        sentence = _sentence(source)
        if sentence and field is not None:
            field.error_messages = {**field.error_messages, **dict.fromkeys(_CODES, sentence)}
    return field


def say_ranges(form: type[Form]) -> type[Form]:
    """``form``, whose fields say the ranges of its model's; usable as a decorator."""
    sources = {source.name: source for source in form._meta.model._meta.concrete_fields}
    for name, field in form.base_fields.items():
        say_range(field, sources.get(name))
    return form


def _sentence(source: "models.Field[Any, Any]") -> str:
    low, high = _limit(source, MinValueValidator, max), _limit(source, MaxValueValidator, min)
    what = "a duration" if isinstance(source, models.DurationField) else _number(source)
    if low is not None and high is not None:
        return f"Write {what} from {_shown(low)} to {_shown(high)}."
    if low is not None:
        return f"Write {what}, at least {_shown(low)}."
    return f"Write {what}, at most {_shown(high)}." if high is not None else ""


def _number(source: "models.Field[Any, Any]") -> str:
    kind = "a whole number" if isinstance(source, models.IntegerField) else "a number"
    unit = next((unit for word, unit in UNITS.items() if word in source.name), "")
    return f"{kind} of {unit}" if unit else kind


def _limit(source: "models.Field[Any, Any]", kind: type[BaseValidator], strictest: Any) -> Any:
    limits = [validator.limit_value for validator in source.validators if isinstance(validator, kind)]
    kept = [limit for limit in limits if isinstance(limit, timedelta) or abs(limit) < _ENDLESS]
    return strictest(kept, default=None)


def _shown(limit: Any) -> str:
    if isinstance(limit, timedelta):
        return spell(limit)
    return f"{int(limit):,}" if limit == int(limit) else f"{limit:g}"
