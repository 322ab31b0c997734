"""The form of a row with a password that is sealed at rest: it goes in and never comes out."""

from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest

from campaign import ui
from campaign.lib.sealed_password import SealedPassword

Fieldsets = list[tuple[str | None, dict[str, list[Any]]]]
Row = TypeVar("Row", bound=SealedPassword)

SECRETS = ("new_password", "forget_password")


class SealedForm(forms.ModelForm[Row]):
    """Fields to type a new password or to forget the stored one."""

    sealed_hint: ClassVar[str] = ""

    new_password = forms.CharField(
        required=False,
        label="Password",
        strip=False,
        widget=ui.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forget_password = forms.BooleanField(required=False, label="Forget the stored password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "new_password" in self.fields:
            kept = (
                "A password is stored. Leave empty to keep it."
                if self.instance.sealed_password
                else "Stored encrypted and never shown again."
            )
            self.fields["new_password"].help_text = f"{kept} {self.sealed_hint}".strip()

    def clean(self) -> dict[str, Any]:
        """Refuse two wishes that contradict each other."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("new_password") and cleaned.get("forget_password"):
            self.add_error("forget_password", "Either type a new password or forget the stored one.")
        return cleaned

    def save(self, commit: bool = True) -> Row:  # noqa: FBT001, FBT002 (Django's signature)
        """Seal a new password; keep the stored one otherwise."""
        if self.cleaned_data.get("forget_password"):
            self.instance.password = ""
        elif secret := self.cleaned_data.get("new_password"):
            self.instance.password = secret
        return super().save(commit)


def sealed_fieldsets(admin: "ModelAdmin[Any]", request: HttpRequest, row: Any) -> Any:
    """The admin's fieldsets; somebody who may only look sees nothing of the password."""
    may_save = admin.has_change_permission(request, row) if row else admin.has_add_permission(request)
    if may_save:
        return admin.fieldsets
    return [
        (title, {"fields": [name for name in group["fields"] if name not in SECRETS]})
        for title, group in admin.fieldsets or []
    ]
