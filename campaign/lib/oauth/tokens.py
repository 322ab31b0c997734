"""Access tokens, fetched when they are needed and kept sealed where every process finds them.

One process at a time asks for a row's token; the others go on with the former one while it is good, and wait for the
new one when it is not. A token is renewed a little before its end. A refresh token that was given out instead of the
former one is kept as well: it alone is good from then on.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.apps import apps
from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime

from campaign.lib.alone import alone
from campaign.lib.clock import now
from campaign.lib.oauth import endpoint
from campaign.lib.oauth.answer import TokenRefused
from campaign.lib.sealed_password import Sealed
from campaign.lib.sealing import seal
from campaign.lib.waiting import Patience

logger = logging.getLogger(__name__)

EARLY: Final = timedelta(minutes=5)
"""So long before its end a token is renewed; a short one when a fifth of its time is left."""
YOUNG: Final = timedelta(seconds=60)
"""A token that is refused in this time after it was fetched is not to blame: another one would be refused as well."""
REST: Final = timedelta(seconds=15)
"""After a refusal of the endpoint nobody asks again for so long; whoever needs a token is told what it said."""
WAIT_SECONDS: Final = 15.0
"""For a token that another process is fetching."""
_LOOK_SECONDS: Final = 0.1


class KeptToken(models.Model):
    """What is known of a row's access token. The subclass's primary key is that row."""

    asked_with = models.CharField(max_length=64)
    """:attr:`Access.asked_with` of the last attempt: with other settings nothing here is good but the refresh token."""
    sealed_access_token = models.TextField(blank=True)
    fetched_at = models.DateTimeField(null=True)
    renew_at = models.DateTimeField(null=True)
    good_until = models.DateTimeField(null=True)
    sealed_refresh_token = models.TextField(blank=True)
    rotated_from = models.CharField(max_length=64, blank=True)
    """Digest of what was typed as refresh token when this one took its place."""
    problem = models.TextField(blank=True)
    problem_at = models.DateTimeField(null=True)

    access_token = Sealed("sealed_access_token")
    refresh_token = Sealed("sealed_refresh_token")

    class Meta:
        abstract = True
        default_permissions = ()


@dataclass(frozen=True, slots=True)
class Access:
    """How a row comes to its access token; equal while what it is asked with is the same.

    `tokens` is the label of its model of :class:`KeptToken`, `pk` the row.
    """

    tokens: str
    pk: int
    asked_with: str

    def token(self, patience: Patience, *, refused: str = "") -> str:
        """A token that is good: the kept one (one query), or one that is fetched now.

        `refused` is a token that a mail server did not take: another one is given, unless that one is so young that
        another would do no better. Raises :class:`TokenRefused`, :class:`campaign.lib.sealing.SealBroken` and
        :class:`campaign.lib.waiting.Interrupted`.
        """
        kept = self._kept()
        if good := self._good(kept, refused):
            return self._renewed(good, patience) if self._is_due(kept) else good
        return self._fetched(
            patience, lambda kept, is_alone: self._good(kept, refused) or self._heed(kept, rest_only=is_alone)
        )

    def fetch(self, patience: Patience) -> None:
        """Fetch a token and keep it, although one may be kept, to find out whether that works. Raises as :meth:`token`
        does."""
        self._fetched(patience, lambda *_: "")

    def _fetched(self, patience: Patience, spared: Callable[[KeptToken | None, bool], str]) -> str:
        """A token from the endpoint, once no other process is asking, or the one that `spared` finds till then; it is
        told what is kept, and whether it is this process's turn to ask."""
        until = time.monotonic() + WAIT_SECONDS
        while True:
            with alone(self.tokens, self.pk) as is_alone:
                kept = self._kept()
                if good := spared(kept, is_alone):
                    return good
                if is_alone:
                    return self._ask(kept, patience)
            if time.monotonic() >= until:
                raise TokenRefused(
                    f"Another process has been asking for an access token for {WAIT_SECONDS:.0f} seconds. Try again."
                )
            time.sleep(min(_LOOK_SECONDS, patience()))

    def _renewed(self, good: str, patience: Patience) -> str:
        """A new token in place of a good one, unless another process is about it, or the endpoint refuses."""
        with alone(self.tokens, self.pk) as is_alone:
            kept = self._kept()
            if is_alone and self._is_due(kept) and not self._rests(kept):
                try:
                    return self._ask(kept, patience)
                except TokenRefused as refusal:
                    logger.warning("An access token that is good for now was not renewed: %s", refusal)
        return good

    def _model(self) -> type[KeptToken]:
        model: type[KeptToken] = apps.get_model(self.tokens)
        return model

    def _kept(self) -> KeptToken | None:
        return self._model()._base_manager.filter(pk=self.pk).first()

    def _good(self, kept: KeptToken | None, refused: str) -> str:
        if kept is None or kept.asked_with != self.asked_with or not kept.sealed_access_token:
            return ""
        if kept.good_until is None or kept.fetched_at is None or now() >= kept.good_until:
            return ""
        token = kept.access_token
        return "" if token == refused and now() >= kept.fetched_at + YOUNG else token

    @staticmethod
    def _is_due(kept: KeptToken | None) -> bool:
        return kept is not None and kept.renew_at is not None and now() >= kept.renew_at

    @staticmethod
    def _rests(kept: KeptToken | None) -> bool:
        return kept is not None and kept.problem_at is not None and now() < kept.problem_at + REST

    def _heed(self, kept: KeptToken | None, *, rest_only: bool) -> str:
        """Nothing, or TokenRefused with what the endpoint said a moment ago, or, where another process asks again just
        now, the last time: nobody waits with it for an endpoint that fails."""
        if kept is None or kept.asked_with != self.asked_with or kept.problem_at is None:
            return ""
        if not rest_only or self._rests(kept):
            raise TokenRefused(kept.problem)
        return ""

    def _ask(self, kept: KeptToken | None, patience: Patience) -> str:
        """Ask the endpoint with what the row says now, and keep what came of it."""
        rows: Any = self._model()._meta.pk.related_model
        row = rows._base_manager.filter(pk=self.pk).first()
        access: Access | None = row.access if row is not None else None
        if access is None:
            raise TokenRefused("Meanwhile somebody changed how to log in. Try again.")
        typed = hashlib.sha256(row.sealed_refresh_token.encode()).hexdigest()
        rotated = kept.refresh_token if kept is not None and kept.rotated_from == typed else ""
        at = now()
        try:
            granted = endpoint.ask(row.token_request(rotated), patience)
        except TokenRefused as refusal:
            stays = kept is not None and kept.asked_with == access.asked_with
            self._keep(
                asked_with=access.asked_with,
                problem=str(refusal),
                problem_at=now(),
                **({} if stays else {"sealed_access_token": ""}),
            )
            raise
        self._keep(
            asked_with=access.asked_with,
            sealed_access_token=seal(granted.access_token),
            fetched_at=at,
            renew_at=at + max(granted.lifetime - EARLY, granted.lifetime * 4 / 5),
            good_until=at + granted.lifetime,
            problem="",
            problem_at=None,
            **(
                {"sealed_refresh_token": seal(granted.refresh_token), "rotated_from": typed}
                if granted.refresh_token
                else {}
            ),
        )
        return granted.access_token

    def _keep(self, **values: Any) -> None:
        self._model()._base_manager.update_or_create(pk=self.pk, defaults=values)


def told(row: Any) -> str:
    """What is known of the access token of a row (:class:`campaign.lib.oauth.login.OAuthLogin`), in a sentence."""
    access: Access | None = row.access
    kept: KeptToken | None = getattr(row, "kept_token", None)
    if access is None or kept is None or kept.asked_with != access.asked_with:
        return "None was fetched yet with these settings."
    if kept.problem_at is not None:
        return f"{_moment(kept.problem_at)}: {kept.problem}"
    if kept.good_until is None or kept.good_until <= now():
        return "It has expired. The next connection fetches another one."
    return f"Good until {_moment(kept.good_until)}."


def _moment(at: datetime) -> str:
    return date_format(localtime(at), "DATETIME_FORMAT")
