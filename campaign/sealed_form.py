"""The form of a row with secrets that are sealed at rest: they go in and never come out."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django import forms

from campaign import ui
from campaign.lib.sealed_password import SealedPassword

Row = TypeVar("Row", bound=SealedPassword)


def secret_field(label: str, *, strip: bool = False) -> forms.CharField:
    """A field to type a secret; what was typed is not shown again either."""
    widget = ui.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(required=False, label=label, strip=strip, widget=widget)


def forget_field(word: str) -> forms.BooleanField:
    """A switch to forget what is stored of a secret."""
    return forms.BooleanField(required=False, label=f"Forget the stored {word}", widget=ui.Switch)


class SealedForm(forms.ModelForm[Row]):
    """Fields to type a new secret or to forget the stored one: for each name in `sealed`, ``new_name`` and
    ``forget_name``. `sealed` gives what a person calls it."""

    sealed: ClassVar[Mapping[str, str]] = {"password": "password"}

    new_password = secret_field("Password")
    forget_password = forget_field("password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, word in self.sealed.items():
            if f"new_{name}" in self.fields:
                self.fields[f"new_{name}"].help_text = (
                    f"A {word} is stored. Leave empty to keep it."
                    if getattr(self.instance, f"sealed_{name}")
                    else "Stored encrypted and never shown again."
                )

    def clean(self) -> dict[str, Any]:
        """Refuse two wishes that contradict each other."""
        cleaned = super().clean() or self.cleaned_data
        for name, word in self.sealed.items():
            if cleaned.get(f"new_{name}") and cleaned.get(f"forget_{name}"):
                self.add_error(f"forget_{name}", f"Either type a new {word} or forget the stored one.")
        return cleaned

    def will_have(self, name: str) -> bool:
        """Whether this secret will be stored once the form is saved; after :meth:`clean`."""
        typed, forgotten = self.cleaned_data.get(f"new_{name}"), self.cleaned_data.get(f"forget_{name}")
        return bool(typed or (getattr(self.instance, f"sealed_{name}") and not forgotten))

    def save(self, commit: bool = True) -> Row:  # noqa: FBT001, FBT002 (Django's signature)
        """Seal new secrets; keep the stored ones otherwise."""
        for name in self.sealed:
            if self.cleaned_data.get(f"forget_{name}"):
                setattr(self.instance, name, "")
            elif secret := self.cleaned_data.get(f"new_{name}"):
                setattr(self.instance, name, secret)
        return super().save(commit)
