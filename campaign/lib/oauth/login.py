"""What an operator enters so that a row logs in by OAuth 2: who gives out its access tokens, and for what."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models

from campaign.lib.connecting import in_plain_text
from campaign.lib.oauth.endpoint import TokenRequest
from campaign.lib.oauth.tokens import Access
from campaign.lib.sealed_password import Sealed, SealedPassword

GOOGLE_TOKENS: Final = "https://oauth2.googleapis.com/token"
MICROSOFT_TOKENS: Final = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
MICROSOFT_SCOPE: Final = "https://outlook.office365.com/.default"
"""For client credentials, which take no other: IMAP, POP and SMTP alike."""

_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")


class TokenSource(models.TextChoices):
    """Who gives out access tokens."""

    GOOGLE = "google", "Google"
    MICROSOFT = "microsoft", "Microsoft 365"
    OTHER = "other", "Another provider"
    TYPED = "typed", "Nobody: the password is a token, which nothing renews"


class Grant(models.TextChoices):
    """What a token is given out for (RFC 6749, sections 6 and 4.4)."""

    REFRESH_TOKEN = "refresh_token", "Refresh token: a person has consented"
    CLIENT_CREDENTIALS = "client_credentials", "Client credentials: the application itself"


class OAuthLogin(SealedPassword):
    """A row that may log in by OAuth 2. A subclass has a `name`, a `username`, a `host`, a
    `security` (:class:`campaign.lib.connecting.Security`) and, related by the name `kept_token`, a
    :class:`campaign.lib.oauth.tokens.KeptToken`."""

    called: ClassVar[str]
    """What such a row is, as in “the route “Main””."""
    name: str
    username: str
    host: str
    security: str

    token_source = models.CharField("access tokens from", max_length=9, blank=True, choices=TokenSource)
    tenant = models.CharField(
        max_length=253, blank=True, help_text="The directory (tenant) ID, or a domain of the organization."
    )
    token_url = models.CharField(
        "token address",
        max_length=500,
        blank=True,
        help_text="Where the provider gives out tokens. It begins with https://.",
    )
    grant = models.CharField(max_length=18, choices=Grant, default=Grant.REFRESH_TOKEN)
    client_id = models.CharField("client ID", max_length=255, blank=True)
    sealed_client_secret = models.TextField(blank=True, editable=False)
    sealed_refresh_token = models.TextField(blank=True, editable=False)
    scope = models.CharField(
        max_length=500,
        blank=True,
        help_text="Empty means what was consented to; for client credentials of Microsoft 365 "
        f"{MICROSOFT_SCOPE}. Several are separated by spaces.",
    )

    client_secret = Sealed("sealed_client_secret")
    refresh_token = Sealed("sealed_refresh_token")

    class Meta:
        abstract = True

    @property
    def takes_token(self) -> bool:
        """Whether the way of logging in needs an access token."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """The row as a sentence names it."""
        return f"the {self.called} “{self.name}”"

    @property
    def access(self) -> Access | None:
        """How to come to an access token; None where none is fetched. Equal while nobody changes what it is asked
        with."""
        if not self.takes_token or self.token_source in {"", TokenSource.TYPED}:
            return None
        asked_with = (
            self.endpoint, self.client_id, self.grant, self.effective_scope, self.username, self.sealed_client_secret,
            self.sealed_refresh_token,
        )  # fmt: skip
        tokens: Any = self._meta.get_field("kept_token").related_model
        return Access(tokens._meta.label, self.pk or 0, hashlib.sha256("\0".join(asked_with).encode()).hexdigest())

    @property
    def endpoint(self) -> str:
        """The address that gives out tokens."""
        match self.token_source:
            case TokenSource.GOOGLE:
                return GOOGLE_TOKENS
            case TokenSource.MICROSOFT:
                return MICROSOFT_TOKENS.format(tenant=self.tenant)
            case _:
                return self.token_url

    @property
    def token_host(self) -> str:
        """Who gives out tokens, as a sentence names it."""
        return urlsplit(self.endpoint).hostname or ""

    @property
    def effective_scope(self) -> str:
        """What is asked for; Microsoft wants it said for client credentials."""
        by_itself = self.token_source == TokenSource.MICROSOFT and self.grant == Grant.CLIENT_CREDENTIALS
        return self.scope or (MICROSOFT_SCOPE if by_itself else "")

    def token_request(self, rotated: str = "") -> TokenRequest:
        """What to ask for a token; `rotated` is the refresh token that took the typed one's place, if any.

        Raises :class:`campaign.lib.sealing.SealBroken`.
        """
        form = {"grant_type": self.grant, "client_id": self.client_id, "client_secret": self.client_secret}
        if self.grant == Grant.REFRESH_TOKEN:
            form["refresh_token"] = rotated or self.refresh_token
        form["scope"] = self.effective_scope
        return TokenRequest(self.endpoint, self.label, {name: value for name, value in form.items() if value})

    def token_problems(self) -> Mapping[str, str]:
        """What is missing or wrong, by field, where tokens are fetched; of the secrets nothing is said here."""
        problems: dict[str, str] = {}
        if not self.takes_token:
            return problems
        if in_plain_text(self.host, self.security):
            problems["security"] = (
                "Whoever reads an access token on the way can log in with it. Choose STARTTLS or TLS from the start."
            )
        if not self.username:
            problems["username"] = "Write the user name that the token belongs to."
        if not self.token_source:
            problems["token_source"] = "Choose who gives out access tokens."  # noqa: S105 - a sentence
        if self.token_source in {"", TokenSource.TYPED}:
            return problems
        if not self.client_id:
            problems["client_id"] = "Write the ID under which this installation asks for tokens."
        if self.token_source == TokenSource.MICROSOFT and not _TENANT.fullmatch(self.tenant):
            problems["tenant"] = "Write the directory (tenant) ID, or a domain such as example.onmicrosoft.com."
        if self.token_source == TokenSource.GOOGLE and self.grant != Grant.REFRESH_TOKEN:
            problems["grant"] = "Google gives mail servers' tokens for a refresh token only."
        if self.token_source == TokenSource.OTHER and (why := _wrong_with(self.token_url)):
            problems["token_url"] = why
        return problems


def _wrong_with(url: str) -> str:
    """What is wrong with a token address, in a sentence."""
    if not url.lower().startswith("https://"):
        return "The token address must begin with https://: the client secret goes there."
    try:
        URLValidator(schemes=["https"])(url)
        parts, port = urlsplit(url), urlsplit(url).port
    except (ValidationError, ValueError):
        return "This is no address of the Web."
    if port == 0:
        return "This is no port."
    if parts.username is not None or parts.fragment:
        return "Write the token address without a user name and without “#”."
    return ""
