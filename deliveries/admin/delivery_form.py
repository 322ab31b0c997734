"""The form of a delivery: content, target, when it leaves, and who may start or edit it."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.html import format_html

from campaign import ui
from deliveries.admin.properties import PropertiesForm, help_of
from deliveries.admin.schedule import LocalTimeInput, moment, zones
from deliveries.admin.target import TargetFields
from deliveries.models import ApprovalMode, WavesMode
from deliveries.rights import rights_of

BACKEND = "django.contrib.auth.backends.ModelBackend"


class PeopleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """People who may log in here."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, person: Any) -> str:
        """Full name and user name."""
        return f"{person.get_full_name()} ({person})" if person.get_full_name() else str(person)


def people_with(permission: str) -> QuerySet[User]:
    """Those who have a right in deliveries, by a group, of their own or as administrators."""
    right = Permission.objects.filter(content_type__app_label="deliveries", codename=permission)
    return User.objects.with_perm(right.get(), include_superusers=True, backend=BACKEND).order_by("username")


class DeliveryForm(TargetFields, PropertiesForm):
    """A delivery: what templates have, and a target."""

    person: User
    """Who fills it in; set by the admin."""

    contact_local = forms.DateTimeField(
        required=False,
        label="Contact date",
        widget=LocalTimeInput,
        help_text="When the first messages leave. Empty: as soon as the delivery is confirmed.",
    )
    contact_zone = forms.ChoiceField(
        required=False,
        label="Time zone",
        choices=zones,
        widget=ui.Select,
        help_text="Of the contact date.",
    )

    reviewers = PeopleField(queryset=User.objects.none(), required=False, label="Who may start it")
    editors = PeopleField(queryset=User.objects.none(), required=False, label="Who may edit")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, permission in (("reviewers", "start_delivery"), ("editors", "change_delivery")):
            if name in self.fields:
                self.fields[name].queryset = people_with(permission)  # type: ignore[attr-defined]
                self.fields[name].help_text = help_of(name)
        zone = self.instance.contact_zone or settings.TIME_ZONE
        self.initial["contact_zone"] = zone
        if self.instance.contact_at:
            self.initial["contact_local"] = self.instance.contact_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        self._lock()

    def _lock(self) -> None:
        """What the template keeps deliveries from changing is shown and not taken."""
        template = self.instance.template
        for name in template.locked if template is not None else ():
            if field := self.fields.get(name):
                field.disabled = True
                field.help_text = format_html("Locked by the template “{}”. {}", template, field.help_text)

    def clean_reviewers(self) -> Any:
        """Nobody takes the reviewers away, or names himself beside them, to start the delivery alone."""
        chosen = set(self.cleaned_data["reviewers"])
        before = set(self.instance.reviewers.all()) if self.instance.pk else set()
        if before and self.person not in before and not self.person.is_superuser:
            if before - chosen:
                raise ValidationError("Only a reviewer or an administrator takes a reviewer away.")
            if self.person in chosen:
                raise ValidationError("You cannot make yourself a reviewer. A reviewer or an administrator can.")
        return self.cleaned_data["reviewers"]

    def clean_approval_mode(self) -> str:
        """Nobody lets a delivery start by itself that somebody else has to start: that person's next analysis would."""
        mode: str = self.cleaned_data["approval_mode"]
        changed = mode != self.instance.approval_mode
        if changed and mode != ApprovalMode.MANUAL and not rights_of(self.person, self.instance).start:
            raise ValidationError("Only somebody who may start this delivery can let it start by itself.")
        return mode

    def clean(self) -> dict[str, Any]:
        """Read day and time in the chosen zone."""
        cleaned = super().clean()
        if cleaned.get("contact_by_recipient") and not cleaned.get("contact_local"):
            self.add_error("contact_local", "Choose the day and time that count where each recipient lives.")
        if cleaned.get("contact_by_recipient") and cleaned.get("waves_mode") not in (None, WavesMode.NONE):
            self.add_error("contact_by_recipient", "Recipients’ own time zones and waves exclude each other.")
        if "contact_local" not in self.fields or "contact_local" in self.errors or "contact_zone" in self.errors:
            return cleaned
        local, zone = cleaned.get("contact_local"), cleaned.get("contact_zone") or settings.TIME_ZONE
        try:
            self.instance.contact_at = moment(local.replace(tzinfo=None), zone) if local else None
        except ValidationError as error:
            self.add_error("contact_local", error)
        cleaned["contact_zone"] = zone if local else ""
        return cleaned
