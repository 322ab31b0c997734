"""The dictionary of user agents: each is parsed once, however often it comes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

import ua_parser
from crawlerdetect import CrawlerDetect

from campaign.lib.clock import now
from tracking.identity import event_id
from tracking.models import Device, Event, UserAgent

MOST_NEW = 100
"""New ones that are parsed at a time. Real readers bring a few; who sends a new one with every request wants to keep us
busy, for parsing takes up to a tenth of a second."""
SEEN_TO = timedelta(days=1)
"""A row that comes again is written once in so long."""
_PARTS = 60
_TABLETS = ("ipad", "tablet", "kindle", "silk/")
_DESKTOPS = frozenset({"Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Chrome OS", "FreeBSD", "Debian"})
_PHONES = frozenset({"iOS", "Android", "Windows Phone", "KaiOS", "BlackBerry OS"})


def rows_of(texts: Iterable[str]) -> dict[str, UserAgent]:
    """The row of each user agent, made where there was none; of those beyond :data:`MOST_NEW` new ones the row of no
    user agent. Three queries at most, whatever their number, and one or two more a day.

    The rows stay while the caller's transaction goes on.
    """
    wanted = {*texts, ""}
    known = _known(wanted)
    stale = [row.pk for row in known.values() if row.seen_at < now() - SEEN_TO]
    if stale and UserAgent.objects.filter(pk__in=stale).update(seen_at=now()) < len(stale):
        known = _known(wanted)  # some were deleted just now
    if fresh := sorted(wanted - set(known)):  # the empty one comes first
        taken, left = fresh[:MOST_NEW], fresh[MOST_NEW:]
        # Another process may have seen the same: its row counts.
        UserAgent.objects.bulk_create([parsed(text) for text in taken], ignore_conflicts=True)
        known |= _known(taken)
        known |= dict.fromkeys(left, known[""])
    return known


def _known(texts: Iterable[str]) -> dict[str, UserAgent]:
    return {row.text: row for row in UserAgent.objects.filter(text__in=texts)}


def forget_unused(before: datetime, most: int) -> int:
    """Delete at most ``most`` user agents that no event names: none came since, and all events from before are deleted.
    Both are told by an index."""
    if Event.objects.filter(pk__lt=event_id(int(before.timestamp() * 1000), 0)).exists():
        return 0
    unused = UserAgent.objects.filter(seen_at__lt=before - SEEN_TO)
    some = unused.order_by("seen_at").values("pk")[:most]
    # Asked again outside: what came in the meantime stays.
    return unused.filter(pk__in=some).delete()[0]


def parsed(text: str) -> UserAgent:
    """What a user agent says of itself, not saved."""
    found = ua_parser.parse(text) if text else None
    browser = found.user_agent if found else None
    system = found.os if found else None
    return UserAgent(
        text=text,
        device=_device(text.lower(), system.family if system else ""),
        browser=browser.family[:_PARTS] if browser else "",
        system=system.family[:_PARTS] if system else "",
        is_machine=bool(text) and bool(_crawlers().isCrawler(text)),
    )


def _device(text: str, system: str) -> Device:
    if any(word in text for word in _TABLETS) or (system == "Android" and "mobile" not in text):
        return Device.TABLET
    if system in _PHONES:
        return Device.PHONE
    return Device.DESKTOP if system in _DESKTOPS else Device.UNKNOWN


@lru_cache(maxsize=1)
def _crawlers() -> CrawlerDetect:
    """The library's expressions, some hundreds, are compiled once a process."""
    return CrawlerDetect()
