"""Custom attributes as fields of a form, for everything that keeps them in ``attributes``."""

from typing import Any

from django import forms
from django.http import HttpRequest

from campaign import ui
from recipients.models import AttributeDefinition, AttributeKind

PREFIX = "attribute_"

_FIELDS: dict[str, type[forms.Field]] = {
    AttributeKind.TEXT: forms.CharField,
    AttributeKind.NUMBER: forms.DecimalField,
    AttributeKind.DATE: forms.DateField,
    AttributeKind.DATETIME: forms.DateTimeField,
    AttributeKind.BOOLEAN: forms.NullBooleanField,
}


class AttributesForm(forms.ModelForm[Any]):
    """A form whose instance has ``attributes``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for definition in AttributeDefinition.objects.all():
            name = PREFIX + definition.name
            if name in self.fields:
                self.fields[name].initial = self.instance.attributes.get(definition.name)

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 (Django's signature)
        """Keep the attributes as JSON: numbers as numbers, dates as ISO 8601."""
        attributes = dict(self.instance.attributes)
        for name in [field for field in self.fields if field.startswith(PREFIX)]:
            value = self.cleaned_data.get(name)
            if value in (None, ""):
                attributes.pop(name.removeprefix(PREFIX), None)
            else:
                attributes[name.removeprefix(PREFIX)] = _json_value(value)
        self.instance.attributes = attributes
        return super().save(commit)


def _json_value(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value if isinstance(value, bool | str) else float(value) if value % 1 else int(value)


def _field(definition: AttributeDefinition) -> forms.Field:
    kind = _FIELDS[definition.kind]
    if kind is forms.NullBooleanField:
        return forms.NullBooleanField(label=str(definition), required=False)
    return kind(
        label=str(definition),
        required=False,
        widget=ui.TextInput,
        help_text=_HINTS.get(AttributeKind(definition.kind), ""),
    )


_HINTS = {
    AttributeKind.DATE: "As 2026-11-23.",
    AttributeKind.DATETIME: "As 2026-11-23 14:30.",
}


class AttributesAdmin(ui.ModelAdmin):
    """An admin whose form derives from :class:`AttributesForm`."""

    form = AttributesForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: Any = False, **kwargs: Any) -> Any:  # noqa: FBT002
        """With a field for each custom attribute, of its kind."""
        if obj is not None and not self.has_change_permission(request, obj):
            # Somebody who may only look reads attributes of the object, not fields of the form.
            for definition in AttributeDefinition.objects.all():
                setattr(obj, PREFIX + definition.name, obj.attributes.get(definition.name))
        else:
            kwargs["fields"] = None
        extra = {PREFIX + definition.name: _field(definition) for definition in AttributeDefinition.objects.all()}
        form = type(self.form.__name__, (self.form,), extra)
        return super().get_form(request, obj, change=change, **{**kwargs, "form": form})

    def attribute_fieldsets(self) -> list[Any]:
        """The part of the form with the attributes, when there are any."""
        names = [PREFIX + name for name in AttributeDefinition.objects.values_list("name", flat=True)]
        return [("Custom attributes", {"fields": names})] if names else []
