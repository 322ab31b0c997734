"""Rates: how many messages a second may leave by a route and to a recipient domain, over all workers on all hosts.

A limit is two rows of turns in Redis, one for announcements (MAIL) and one for contents, because servers count either
and may let long times pass between the two. Whoever asks gets the next free turn: a second after the one that was so
many turns before as the limit has messages a second. What misses its turn has it moved, so that a row tells when
something left. So in no second there are more than the limit allows, of either, however many workers ask and however
late they or servers are. A domain that answers with throttling is slowed down by half and recovers by itself, doubling
each minute. Nothing here must last: when Redis was emptied or started again, the next turn is a second away.
"""

import logging
import math
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import redis
from django.conf import settings

from campaign.lib.brief_redis import brief_redis
from deliveries.models import DomainLimit
from deliveries.sending.smtp.replies import Reply
from deliveries.sending.smtp.steps import Leaving

logger = logging.getLogger(__name__)

LONGEST_WAIT: Final = 0.25
"""Seconds that somebody waits for a turn; one further away is not taken, the message comes later."""

LATEST: Final = 0.01
"""Seconds after its turn at which something may still leave; then the turn is missed."""

SECOND: Final = 1.03
"""What a second lasts for turns: a message that left late and one that does not, so many turns later as the limit has
messages a second, are still a second apart when they reach the server."""

PACE: Final = 0.8
"""Share of the mean time between two turns that is between any two. A little faster than the limit is what makes up for
turns that nobody was there to take."""

REFRESH_SECONDS: Final = 1.0
"""How long a process relies on what it knows about limits and slow domains."""

DOUBLES_IN: Final = 60.0
FLOOR: Final = 0.1
"""Messages a second that a domain gets however much it complains."""

RECOVERED: Final = 100.0
"""Messages a second above which a domain without a limit of its own is no longer held back."""

FEWEST_COMPLAINTS: Final = 3
SHARE_OF_COMPLAINTS: Final = 0.1
"""So many throttling replies, and more than this share of what the domain got lately, mean that it gets too much; one
now and then is a busy server or a greylist."""

WINDOW: Final = 10.0
"""Seconds that *lately* means."""

ONE_COMPLAINT: Final = 5.0
"""Seconds in which several throttling replies count as one: they answer what had left before."""

WITHOUT_REDIS: Final = 1.0
"""Seconds that what is limited waits while Redis is away; what has no limit goes on."""

LEFT_ALONE: Final = 4
"""A Redis that did not answer is left alone so many times as long as it let wait: one that hangs takes a fifth of the
time of what has no limit, one that refuses is asked again at once."""

_SLOWED: Final = "throttle:slowed"
_THROTTLING = re.compile(
    r"\brate\b|too (?:many|much|fast)|throttl|slow down|try again later|deferred due to|exceeded"
    r"|temporarily (?:deferred|limited)",
    re.IGNORECASE,
)
_SCRIPTS = Path(__file__).parent / "lua"
_TAKE = (_SCRIPTS / "take_turn.lua").read_text()
_MOVE = (_SCRIPTS / "move_turn.lua").read_text()
_SLOW_DOWN = (_SCRIPTS / "slow_down.lua").read_text()


@dataclass(frozen=True, slots=True)
class Turn:
    """``granted``: in ``wait`` seconds, at ``at`` by the monotonic clock, the message may leave, of which ``leaving``
    does. Else it is worth asking again after ``wait`` seconds; ``by_route``: for any other domain as well."""

    granted: bool
    wait: float
    by_route: bool = False
    at: float = 0.0
    leaving: Leaving = Leaving.MAIL
    name: str = ""
    rows: tuple[bytes, ...] = ()
    """What it is called in Redis, and the rows it was taken in."""

    @property
    def missed(self) -> bool:
        """It is too late for it."""
        return time.monotonic() > self.at + LATEST


FREE: Final = Turn(granted=True, wait=0.0)


def is_throttling(reply: Reply) -> bool:
    """The server says *too much at once* rather than *not this message* (RFC 3463: 4.7.x, 4.4.5, 4.3.2)."""
    if not 400 <= reply.code < 500:
        return False
    if reply.code in {421, 454} or reply.text.startswith(("4.7.", "4.3.2", "4.4.5")):
        return True
    return _THROTTLING.search(reply.text) is not None


@dataclass(slots=True)
class _Lately:
    """What this process saw of a domain in the present window."""

    since: float
    sent: int = 0
    complaints: int = 0


@dataclass(slots=True)
class _ClockOfRedis:
    """When it is, by the monotonic clock of this process, what Redis calls now: the fastest answer of the last seconds
    tells. One that was long on its way does not tell when its own turn is."""

    since: float = -math.inf
    _ahead: float = 0.0
    _before: float = 0.0

    def here(self, at: float, answered: float, now: float) -> float:
        """The moment ``at`` of Redis, whose answer of its time ``now`` came at ``answered``."""
        ahead = answered - now
        if answered - self.since >= REFRESH_SECONDS:
            recent = answered - self.since < 2 * REFRESH_SECONDS
            self._before, self.since = (self._ahead if recent else ahead), answered
            self._ahead = ahead
        self._ahead = min(self._ahead, ahead)
        return at + min(self._ahead, self._before)


def slowed_domains() -> dict[str, float] | None:
    """Messages a second that each domain gets just now whose server said that it gets too much, by name; ``None`` when
    Redis does not answer."""
    try:
        slowed = sorted(member.decode() for member in brief_redis().smembers(_SLOWED))  # type: ignore[union-attr]
        asking = brief_redis().pipeline(transaction=False)
        asking.time()
        for domain in slowed:
            asking.hmget(f"throttle:slow:{domain}", "rate", "at")
        (seconds, micros), *states = asking.execute()
    except redis.RedisError:
        return None
    limits = dict(DomainLimit.objects.values_list("domain", "messages_per_second"))
    found: dict[str, float] = {}
    for domain, (rate, at) in zip(slowed, states, strict=True):
        if rate is None or at is None:
            continue
        age = max(seconds + micros / 1_000_000 - float(at), 0.0)
        rate_now = float(rate) * 2 ** (age / DOUBLES_IN)
        if rate_now < (limits.get(domain) or RECOVERED):
            found[domain] = rate_now
    return found


class Throttle:
    """Hands out turns. One for each process; threads may share it."""

    def __init__(self, client: "redis.Redis | None" = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = client or redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
        self._take = self._redis.register_script(_TAKE)
        self._move = self._redis.register_script(_MOVE)
        self._slow_down = self._redis.register_script(_SLOW_DOWN)
        self._clock = clock
        self._known_at = -REFRESH_SECONDS
        self._ask_again_at = -math.inf
        self._limits: dict[str, float] = {}
        self._slowed: set[str] = set()
        self._lately: dict[str, _Lately] = {}
        self._clock_of_redis = _ClockOfRedis()

    def limits(self, route_rate: float, domain: str) -> bool:
        """Whether messages to ``domain`` need turns, as far as this process knows."""
        return bool(route_rate) or domain in self._limits or domain in self._slowed

    def turn(
        self,
        route_id: int,
        route_rate: float,
        domain: str,
        leaving: Leaving = Leaving.MAIL,
    ) -> Turn:
        """The next turn of a message to ``domain`` (lower case) by a route with so many messages a second (0: any)."""
        self._refresh()
        if leaving is not Leaving.CONTENT:
            self._of(domain).sent += 1
        if not self.limits(route_rate, domain):
            return FREE
        rows = [(f"throttle:route:{route_id}:{what}", f"throttle:domain:{domain}:{what}") for what in leaving.value]
        try:
            now, turn, by_route, taken = self._ask(
                self._take,
                keys=[f"throttle:slow:{domain}", _SLOWED, *chain.from_iterable(rows)],
                args=[
                    *(route_rate, self._limits.get(domain, 0.0), LONGEST_WAIT, SECOND, PACE),
                    *(DOUBLES_IN, RECOVERED, domain),
                ],
            )
        except redis.RedisError:
            return Turn(granted=False, wait=WITHOUT_REDIS, by_route=bool(route_rate))
        wait = float(turn) - float(now)
        at = self._clock_of_redis.here(float(turn), time.monotonic(), float(now))
        return Turn(bool(taken), wait, bool(by_route), at, leaving, turn.decode(), tuple(taken))

    def moved(self, turn: Turn) -> Turn | None:
        """A turn that was missed, now instead; ``None`` when it is gone."""
        try:
            now = self._ask(self._move, keys=turn.rows, args=[turn.name])
        except redis.RedisError:  # whoever asks for another turn hears of it
            return None
        if now is None:
            return None
        at = self._clock_of_redis.here(float(now), time.monotonic(), float(now))
        return replace(turn, at=at, wait=0.0, name=now.decode())

    def complain(self, domain: str) -> None:
        """The domain's server said that it gets too much. When it says so often, it gets half from now on."""
        lately = self._of(domain)
        lately.complaints += 1
        if lately.complaints < max(FEWEST_COMPLAINTS, SHARE_OF_COMPLAINTS * lately.sent):
            return
        observed = lately.sent / max(self._clock() - lately.since, 1.0)
        lately.complaints = 0
        try:
            self._ask(
                self._slow_down,
                keys=[f"throttle:slow:{domain}", _SLOWED],
                args=[self._limits.get(domain, 0.0) or observed, FLOOR, DOUBLES_IN, ONE_COMPLAINT, domain],
            )
        except redis.RedisError as error:
            logger.warning("Redis does not answer (%s); %s is not slowed down.", error, domain)
        self._slowed.add(domain)

    def _of(self, domain: str) -> "_Lately":
        lately = self._lately.get(domain)
        if lately is None or self._clock() - lately.since > WINDOW:
            lately = self._lately[domain] = _Lately(self._clock())
        return lately

    def _refresh(self) -> None:
        """Read limits and slow domains anew, each second."""
        at = self._clock()
        if at - self._known_at < REFRESH_SECONDS:
            return
        self._known_at = at
        self._lately = {domain: seen for domain, seen in self._lately.items() if at - seen.since <= WINDOW}
        self._limits = dict(DomainLimit.objects.values_list("domain", "messages_per_second"))
        with suppress(redis.RedisError):  # what was known is good until it answers
            self._slowed = {member.decode() for member in self._ask(self._redis.smembers, _SLOWED)}

    def _ask(self, command: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """What Redis answers. Raises ``redis.RedisError``, and at once while it is left alone."""
        asked_at = self._clock()
        if asked_at < self._ask_again_at:
            raise redis.ConnectionError("It did not answer a moment ago.")
        try:
            return command(*arguments, **named)
        except redis.RedisError as error:
            now = self._clock()
            self._ask_again_at = now + LEFT_ALONE * (now - asked_at)
            logger.warning("Redis does not answer (%s); what is limited waits.", error)
            raise
