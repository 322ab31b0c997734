"""Personalization blocks."""

from typing import Any

from django import forms

from campaign import ui
from deliveries.admin import insert
from deliveries.models import PersonalizationBlock


class BlockForm(forms.ModelForm[PersonalizationBlock]):
    """A block's two contents, with the field picker."""

    class Meta:
        widgets = {
            "html": insert.InsertTextarea(attrs={"rows": 10, "spellcheck": "false", "class": "code"}),
            "text": insert.InsertTextarea(attrs={"rows": 6}),
        }
        field_classes = {"html": insert.VerbatimField, "text": insert.VerbatimField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = insert.choices()[:1]
        for name in ("html", "text"):
            if name in self.fields:
                self.fields[name].widget.choices = choices
        if "name" in self.fields:
            self.fields["name"].help_text = "Authors write {% include 'name' %} where the block shall be."


@ui.register(PersonalizationBlock)
class PersonalizationBlockAdmin(ui.ModelAdmin):
    """Named pieces of content."""

    form = BlockForm
    fields = ["label", "name", "html", "text"]
    list_display = ["label", "name", "updated_at"]
    search_fields = ["label", "name"]
    search_help_text = "Label or name"
