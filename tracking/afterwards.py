"""What only several events together show: whoever follows every link of a message within seconds reads none of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from deliveries.models import Content
from deliveries.rendering.links import HTML, Link, LinkMode
from deliveries.rendering.tracking import HONEYPOT
from tracking.identity import event_id
from tracking.models import Event, EventKind, MachineRule, Origin, RuleKind, is_anonymous

LOOK_BACK = timedelta(minutes=10)
"""Events are looked at again for so long; longer than hits wait in Redis while workers run."""

FEWEST_LINKS = 3
"""Whoever follows the only two links of a message may well be a person."""


def judge_together(at: datetime) -> int:
    """Judge the last minutes' events of persons again; returns how many turned out to be a machine's."""
    rules = {
        rule.kind: rule
        for rule in MachineRule.objects.filter(is_active=True, kind__in=[RuleKind.BURST, RuleKind.HONEYPOT])
    }
    since = event_id(int((at - LOOK_BACK).timestamp() * 1000), 0)
    changed = 0
    if rule := rules.get(RuleKind.HONEYPOT):
        changed += _change(_around_honeypots(since, timedelta(seconds=rule.seconds)), rule)
    if rule := rules.get(RuleKind.BURST):
        changed += _change(_bursts(since, timedelta(seconds=rule.seconds)), rule)
    return changed


def _around_honeypots(since: int, reach: timedelta) -> list[Event]:
    """What came for a message shortly before or after its invisible link was followed."""
    trapped: dict[int, list[datetime]] = defaultdict(list)
    seen = Event.objects.filter(pk__gte=since, kind=EventKind.CLICK, link=HONEYPOT)
    for message_id, at in seen.values_list("message_id", "at"):
        trapped[message_id].append(at)
    others = Event.objects.filter(pk__gte=since, message_id__in=trapped, origin=Origin.PERSON)
    return [event for event in others if any(abs(event.at - at) <= reach for at in trapped[event.message_id])]


def _bursts(since: int, window: timedelta) -> list[Event]:
    clicks = Event.objects.filter(pk__gte=since, kind=EventKind.CLICK, origin=Origin.PERSON)
    links = _links(set(clicks.values_list("content_id", flat=True).distinct()))
    found: list[Event] = []
    for _, group in groupby(clicks.order_by("message_id", "at"), key=lambda event: event.message_id):
        events = list(group)
        if not is_anonymous(events[0].message_id):
            found += in_burst(events, links.get(events[0].content_id, 0), window)
    return found


def in_burst(events: list[Event], links: int, window: timedelta) -> Iterator[Event]:
    """The clicks of one message, in order of time, that are part of following all its links within ``window``."""
    if links < FEWEST_LINKS:
        return
    marked: set[int] = set()
    start = 0
    for end, event in enumerate(events):
        while event.at - events[start].at > window:
            start += 1
        if len({each.link for each in events[start : end + 1]}) >= links:
            marked.update(range(start, end + 1))
    yield from (events[index] for index in sorted(marked))


def _links(content_ids: set[int]) -> dict[int, int]:
    """How many different links of its HTML each content tracks as clicks."""
    rows = Content.objects.filter(pk__in=content_ids).values_list("pk", "compiled__links")
    return {pk: len(set(_clickable(Link.from_json(values) for values in links or []))) for pk, links in rows}


def _clickable(links: Iterable[Link]) -> Iterator[int]:
    for link in links:
        if link.mode == LinkMode.TRACKED and any(place.part == HTML for place in link.places):
            yield link.number


def _change(events: list[Event], rule: MachineRule) -> int:
    """Hand events over to a rule; others may have done so already. The figures follow by themselves."""
    return Event.objects.filter(pk__in=[event.pk for event in events], origin=Origin.PERSON).update(
        origin=Origin.MACHINE, rule=rule
    )
