"""Credentials in the form of a row that logs in by a password or by OAuth 2: each field shows where it is needed."""

import json
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final, TypeVar

from django import forms
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest

from campaign.lib.oauth.answer import is_token
from campaign.lib.oauth.login import Grant, OAuthLogin, TokenSource
from campaign.lib.oauth.tokens import told
from campaign.sealed_form import SealedForm, forget_field, secret_field

Fieldsets = list[tuple[str | None, dict[str, list[Any]]]]
Row = TypeVar("Row", bound=OAuthLogin)

FETCHED_FROM: Final = (TokenSource.GOOGLE, TokenSource.MICROSOFT, TokenSource.OTHER)
CLIENT: Final = ("grant", "client_id", "scope")
SETTINGS: Final = ("token_source", "tenant", "token_url", *CLIENT)
"""Fields of the model that a form of :class:`OAuthForm` names besides its own."""


@admin.display(description="Access token")
def token_state(row: OAuthLogin) -> str:
    """How long the kept access token is good, or why there is none."""
    return told(row)


def credentials(login_field: str) -> list[Any]:
    """The fields of a fieldset *Credentials*, in the order in which they are filled in."""
    return [
        "username", login_field, "token_source", "new_password", "forget_password", "tenant", "token_url", "grant",
        "client_id", "new_client_secret", "forget_client_secret", "new_refresh_token", "forget_refresh_token", "scope",
        token_state,
    ]  # fmt: skip


class OAuthForm(SealedForm[Row]):
    """A row's secrets, each typed once; those of the way of logging in that was chosen must be there."""

    login_field: ClassVar[str]
    """Where one chooses how to log in."""
    bearers: ClassVar[Collection[str]]
    """The choices that need an access token."""

    sealed = {"password": "password", "client_secret": "client secret", "refresh_token": "refresh token"}

    new_client_secret = secret_field("Client secret", strip=True)
    forget_client_secret = forget_field("client secret")
    new_refresh_token = secret_field("Refresh token", strip=True)
    forget_refresh_token = forget_field("refresh token")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        nothing_to_forget = {f"forget_{name}" for name in self.sealed if not getattr(self.instance, f"sealed_{name}")}
        for name, alternatives in self._shown().items():
            if name in self.fields:
                shown_for = [] if name in nothing_to_forget else alternatives
                self.fields[name].widget.attrs["data-shown-for"] = json.dumps(shown_for)

    def _shown(self) -> Mapping[str, list[dict[str, list[str]]]]:
        """For which choices a field shows: one of the alternatives, all of whose fields have one of the values."""
        ways = [value for value, _ in self.fields[self.login_field].choices] if self.login_field in self.fields else []  # type: ignore[attr-defined]
        bearer = {self.login_field: list(self.bearers)}
        fetched = {**bearer, "token_source": [str(source) for source in FETCHED_FROM]}
        by_refresh_token = [{**fetched, "grant": [str(Grant.REFRESH_TOKEN)]}]
        typed = [
            {self.login_field: [way for way in ways if way not in self.bearers]},
            {"token_source": ["", str(TokenSource.TYPED)]},
        ]
        return {
            "token_source": [bearer],
            "new_password": typed,
            "forget_password": typed,
            "tenant": [{**bearer, "token_source": [str(TokenSource.MICROSOFT)]}],
            "token_url": [{**bearer, "token_source": [str(TokenSource.OTHER)]}],
            **{name: [fetched] for name in (*CLIENT, "new_client_secret", "forget_client_secret")},
            "new_refresh_token": by_refresh_token,
            "forget_refresh_token": by_refresh_token,
        }

    def clean_new_refresh_token(self) -> str:
        """Something that can be a refresh token."""
        typed: str = self.cleaned_data["new_refresh_token"]
        if typed and not is_token(typed):
            raise forms.ValidationError("A refresh token is one word of ASCII letters, digits and signs.")
        return typed

    def clean(self) -> dict[str, Any]:
        """The secrets that the grant needs."""
        cleaned = super().clean()
        if cleaned.get(self.login_field) not in self.bearers or cleaned.get("token_source") not in FETCHED_FROM:
            return cleaned
        if cleaned.get("grant") == Grant.REFRESH_TOKEN and not self.will_have("refresh_token"):
            self.add_error("new_refresh_token", "Type the refresh token that the provider issued.")
        if cleaned.get("grant") == Grant.CLIENT_CREDENTIALS and not self.will_have("client_secret"):
            self.add_error("new_client_secret", "Type the client secret: client credentials are nothing without it.")
        return cleaned


def oauth_fieldsets(admin: "ModelAdmin[Any]", request: HttpRequest, row: OAuthLogin | None) -> Any:
    """The admin's fieldsets; somebody who may only look sees nothing of the secrets, and only what is in use."""
    may_save = admin.has_change_permission(request, row) if row else admin.has_add_permission(request)
    unseen: set[Any] = set()
    if row is None or row.access is None:
        unseen.add(token_state)
    if not may_save:
        unseen |= {f"{act}_{name}" for act in ("new", "forget") for name in OAuthForm.sealed}
        unseen |= _unused(row)
    return [
        (title, {**group, "fields": [field for field in group["fields"] if field not in unseen]})
        for title, group in admin.fieldsets or []
    ]


def _unused(row: OAuthLogin | None) -> set[str]:
    """Settings that say nothing for this row."""
    if row is None or not row.takes_token:
        return set(SETTINGS)
    if row.access is None:
        return set(SETTINGS) - {"token_source"}
    return {
        *({"tenant"} if row.token_source != TokenSource.MICROSOFT else ()),
        *({"token_url"} if row.token_source != TokenSource.OTHER else ()),
    }
