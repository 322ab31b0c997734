"""What somebody changed in a form, in words for the audit trail."""

from typing import Any, cast

from django import forms
from django.db.models import QuerySet

LONGEST = 60
"""Characters of a value that are written down; of longer ones, contents above all, only that they changed."""


def changes(form: forms.BaseForm) -> str:
    """The changed fields by their names on the screen, short values with what they were and are."""
    return "; ".join(_change(form, name) for name in form.changed_data)


def _change(form: forms.BaseForm, name: str) -> str:
    field = form.fields[name]
    label = str(field.label or name.replace("_", " ")).lower()
    before = _shown(field, form.get_initial_for_field(field, name))
    after = _shown(field, form.cleaned_data.get(name))
    if before is None or after is None:
        return label
    return f"{label} (“{before}” → “{after}”)"


def _shown(field: forms.Field, value: Any) -> str | None:
    """The value as people read it; ``None`` when it is too long or no text."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(field, forms.ModelMultipleChoiceField):
        text = ", ".join(sorted(field.label_from_instance(one) for one in _objects(field, value))) or "nobody"
    elif isinstance(field, forms.ModelChoiceField):
        text = ", ".join(str(one) for one in _objects(field, [value]))
    elif isinstance(field, forms.ChoiceField):
        text = str(dict(cast("Any", field.choices)).get(value, value))
    elif isinstance(field, forms.FileField):
        return None
    else:
        text = str(field.prepare_value(value))
    return text if len(text) <= LONGEST and "\n" not in text else None


def _objects(field: forms.ModelChoiceField, values: Any) -> list[Any]:  # type: ignore[type-arg]
    """The objects that a form has as such, or by primary key."""
    keys = [getattr(one, "pk", one) for one in values]
    return list(cast("QuerySet[Any]", field.queryset).filter(pk__in=keys))
