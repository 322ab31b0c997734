"""System checks of the installation; each has a number and says how to mend what it found."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register

SHORTEST_KEY_CHARACTERS = 50


@register(Tags.security, deploy=True)
def secret_key_is_strong(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """campaign.W001: SECRET_KEY can be guessed."""
    key = str(settings.SECRET_KEY)
    if len(key) >= SHORTEST_KEY_CHARACTERS and not key.startswith("django-insecure-") and len(set(key)) > 5:
        return []
    return [
        checks.Warning(
            "SECRET_KEY is short or well known: sessions could be forged and stored passwords unsealed.",
            hint="Unset SECRET_KEY to have one made under VAR_DIR, or set at least 50 random characters.",
            id="campaign.W001",
        )
    ]


@register(Tags.security, deploy=True)
def public_url_is_https(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """campaign.W002: links in messages are not encrypted."""
    if settings.PUBLIC_URL.startswith("https://"):
        return []
    return [
        checks.Warning(
            f"PUBLIC_URL is {settings.PUBLIC_URL}: mirror and unsubscription pages would be served unencrypted.",
            hint="Put TLS in front of the web process and set PUBLIC_URL to an address that begins with https://.",
            id="campaign.W002",
        )
    ]
