"""Text fields with an “insert a field or block” picker that works by keyboard (campaign/static/campaign/admin.js)."""

from typing import Any, ClassVar

from django import forms

from campaign import ui
from deliveries.analysis import source
from deliveries.models import PersonalizationBlock, Properties

Choices = list[tuple[str, list[tuple[str, str]]]]


def choices(properties: Properties | None = None) -> Choices:
    """What can be inserted, by group: the text that goes into the content, and the words that people read."""
    fields = [("{{ %s }}" % path, found.label) for path, found in source.fields(properties).items()]  # noqa: UP031
    blocks = [
        ("{%% include '%s' %%}" % name, label)  # noqa: UP031
        for name, label in PersonalizationBlock.objects.values_list("name", "label")
    ]
    groups = [("Fields", fields)]
    return [*groups, ("Personalization blocks", blocks)] if blocks else groups


class VerbatimField(forms.CharField):
    """A text of many lines that is kept as it was typed: only the line ends that browsers make of it are undone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "strip": False})

    def to_python(self, value: Any) -> str:
        """The text with LF line ends."""
        return (super().to_python(value) or "").replace("\r\n", "\n")


class Picker(forms.Widget):
    """Beside the control of a text; whoever makes the form sets the ``choices``."""

    template_name = "deliveries/widgets/insert.html"
    control: ClassVar[str]
    choices: Choices = []

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What the template needs."""
        return {**super().get_context(name, value, attrs), "choices": self.choices, "control": self.control}


class InsertTextInput(Picker, ui.TextInput):
    """One line with a picker."""

    control = "django/forms/widgets/input.html"


class InsertTextarea(Picker, ui.Textarea):
    """Many lines with a picker."""

    control = "django/forms/widgets/textarea.html"
