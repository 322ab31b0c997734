"""The tab “Target” of a delivery: whom it reaches, whom it leaves out, what is drawn by lot, seed addresses."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count

from campaign import ui
from deliveries.models import Delivery, SeedGroup, ShareMode
from recipients.models import RecipientList, SavedQuery

TARGET = (
    "Target",
    {
        "classes": ["tab"],
        "fields": [
            "target_lists",
            "target_queries",
            "excluded_lists",
            "excluded_queries",
            ("limit_mode", "limit_size"),
            ("control_mode", "control_size"),
            "seed_groups",
        ],
    },
)
TARGET_VALUES = ("limit_mode", "limit_size", "control_mode", "control_size")
"""Plain fields of the tab."""


def _help(name: str) -> str:
    return str(getattr(Delivery._meta.get_field(name), "help_text", ""))


class ListsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Recipient lists with the number of people on each."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, recipient_list: Any) -> str:
        """Name and number of recipients."""
        return f"{recipient_list.name} ({recipient_list.size:,} recipients)"


class GroupsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Groups of seed addresses with the number of addresses in each."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, group: Any) -> str:
        """Name and number of addresses."""
        return f"{group.name} ({group.size:,} addresses)"


class TargetFields(forms.ModelForm[Delivery]):
    """The tab's fields and what must fit in them."""

    target_lists = ListsField(queryset=RecipientList.objects.none(), required=False, help_text=_help("target_lists"))
    target_queries = forms.ModelMultipleChoiceField(
        queryset=SavedQuery.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_help("target_queries"),
    )
    excluded_lists = ListsField(
        queryset=RecipientList.objects.none(), required=False, help_text=_help("excluded_lists")
    )
    excluded_queries = forms.ModelMultipleChoiceField(
        queryset=SavedQuery.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_help("excluded_queries"),
    )
    limit_size = forms.FloatField(required=False, min_value=0, label="How many", widget=ui.TextInput)
    control_size = forms.FloatField(required=False, min_value=0, label="How many", widget=ui.TextInput)
    seed_groups = GroupsField(queryset=SeedGroup.objects.none(), required=False, help_text=_help("seed_groups"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = RecipientList.objects.annotate(size=Count("memberships")).order_by("name")
        self._offer("target_lists", lists, "There is no list yet. Create one under “Lists” first.")
        self._offer("excluded_lists", lists, "There is no list yet.")
        queries = "There is no query yet. Make one under “Saved queries”."
        self._offer("target_queries", SavedQuery.objects.all(), queries)
        self._offer("excluded_queries", SavedQuery.objects.all(), "There is no query yet.")
        groups = SeedGroup.objects.annotate(size=Count("addresses")).order_by("name")
        self._offer("seed_groups", groups, "There is no seed address yet. Add some under “Seed addresses”.")

    def _offer(self, name: str, choices: Any, otherwise: str) -> None:
        if name in self.fields:
            self.fields[name].queryset = choices  # type: ignore[attr-defined]
            if not choices:
                self.fields[name].help_text = otherwise

    def clean_limit_size(self) -> float:
        """Fits the way in which the sample's size is given."""
        return self._share("limit")

    def clean_control_size(self) -> float:
        """Fits the way in which the control group's size is given."""
        return self._share("control")

    def _share(self, what: str) -> float:
        mode = self.cleaned_data.get(f"{what}_mode", "")
        size: float = self.cleaned_data.get(f"{what}_size") or 0
        if mode == ShareMode.NUMBER and (size < 1 or size != int(size) or size > 2**31):
            raise ValidationError("Write a whole number of people, such as 1000.")
        if mode == ShareMode.PERCENT and not 0 < size <= 100:
            raise ValidationError("Write a percentage above 0 and up to 100, such as 12.5.")
        return size
