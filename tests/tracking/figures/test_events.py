"""The sums over events equal what the log itself says, whatever came in which order and was judged anew."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from deliveries.models import Content, Message
from deliveries.models.message import NUMBER_BITS
from tests.deliveries import factories
from tracking.figures.events import count_events, recount
from tracking.figures.models import Dimension, EventTally
from tracking.models import Device, Event, EventKind, Origin, UserAgent, anonymous

AT = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
MEASURES = (
    "opens", "clicks", "mirror_views", "opened", "clicked", "viewed", "all_opens", "all_clicks", "all_mirror_views",
    "all_opened", "all_clicked", "all_viewed", "archive", "trial",
)  # fmt: skip
OWN_LINK, OPT_OUT = 1, 2


@dataclass(frozen=True)
class Look:
    """An event that may happen."""

    number: int
    kind: int
    origin: int
    link: int
    hours: int
    agent: int


LOOKS = st.builds(
    Look,
    number=st.integers(0, 3),
    kind=st.sampled_from(EventKind.values),
    origin=st.sampled_from(Origin.values),
    link=st.sampled_from([OWN_LINK, OPT_OUT]),
    hours=st.integers(0, 1),
    agent=st.integers(0, 1),
)
STEPS = st.lists(st.one_of(st.lists(LOOKS, max_size=6), st.sampled_from(Origin.values)), max_size=6)
"""Each step adds events, or judges every second one anew."""


def agents() -> list[UserAgent]:
    return [
        UserAgent.objects.create(text="Phone", device=Device.PHONE, browser="Safari", system="iOS"),
        UserAgent.objects.create(text="Desk", device=Device.DESKTOP, browser="Firefox", system="Linux"),
    ]


def content() -> Content:
    delivery = factories.delivery()
    links = [{"number": OWN_LINK, "mode": "tracked"}, {"number": OPT_OUT, "mode": "opt-out"}]
    made = Content.objects.create(delivery=delivery, compiled={"links": links}, key=bytes(32))
    Message.objects.bulk_create(
        Message(id=(delivery.pk << NUMBER_BITS) + number, content=made, address=f"p{number}@d{number % 2}.example")
        for number in (1, 2, 3)
    )
    return made


def write(content: Content, looks: list[Look], first_id: int, seen: list[UserAgent]) -> None:
    Event.objects.bulk_create(
        Event(
            id=first_id + place,
            message_id=anonymous(content.delivery_id) + look.number,
            content=content,
            at=AT + timedelta(hours=look.hours),
            user_agent=seen[look.agent],
            link=look.link if look.kind == EventKind.CLICK else 0,
            kind=look.kind,
            origin=look.origin,
        )
        for place, look in enumerate(looks)
    )


def by_hand(content: Content) -> dict[tuple[int, str], dict[str, int]]:
    """The same sums, from the log, one event at a time."""
    sums: dict[tuple[int, str], dict[str, set[int] | int]] = defaultdict(lambda: defaultdict(int))
    people: dict[tuple[int, str, str], set[int]] = defaultdict(set)
    for event in Event.objects.of_delivery(content.delivery_id).select_related("user_agent"):
        number = event.message_id & 0xFFFFFFFF
        slots: list[tuple[int, str]] = [(Dimension.TOTAL, ""), (Dimension.HOUR, event.at.strftime("%Y-%m-%dT%H"))]
        slots += [(Dimension.DEVICE, event.user_agent.device), (Dimension.BROWSER, event.user_agent.browser)]
        slots += [(Dimension.SYSTEM, event.user_agent.system)]
        slots.append((Dimension.VARIANT, str(event.content_id)))
        if number:
            slots.append((Dimension.DOMAIN, f"d{number % 2}.example"))
        if event.kind == EventKind.CLICK:
            slots.append((Dimension.LINK, f"{event.content_id}:{event.link}"))
        for dimension, key in slots:
            is_click = event.kind == EventKind.CLICK and (event.link != OPT_OUT or dimension == Dimension.LINK)
            for prefix, origins in (("", {Origin.PERSON}), ("all_", {Origin.PERSON, Origin.MACHINE})):
                if event.origin not in origins:
                    continue
                happened = {
                    "opens": event.kind == EventKind.OPEN,
                    "clicks": is_click,
                    "mirror_views": event.kind == EventKind.MIRROR,
                }
                for measure, yes in happened.items():
                    sums[dimension, key][prefix + measure] += int(yes)  # type: ignore[operator]
                reached = {"opened": True, "clicked": is_click, "viewed": event.kind == EventKind.MIRROR}
                for measure, yes in reached.items():
                    if yes and number:
                        people[dimension, key, prefix + measure].add(number)
            sums[dimension, key]["archive"] += int(event.origin == Origin.ARCHIVE)  # type: ignore[operator]
            sums[dimension, key]["trial"] += int(event.origin == Origin.TRIAL)  # type: ignore[operator]
    for (dimension, key, measure), numbers in people.items():
        sums[dimension, key][measure] = len(numbers)
    return _without_zeros({slot: {name: sums[slot][name] for name in MEASURES} for slot in sums})  # type: ignore[misc]


def tallied(content: Content) -> dict[tuple[int, str], dict[str, int]]:
    rows = EventTally.objects.filter(delivery_id=content.delivery_id)
    return _without_zeros({(row.dimension, row.key): {name: getattr(row, name) for name in MEASURES} for row in rows})


def _without_zeros(sums: dict[tuple[int, str], dict[str, int]]) -> dict[tuple[int, str], dict[str, int]]:
    return {slot: measures for slot, measures in sums.items() if any(measures.values())}


class TestTallies(TestCase):
    """Whatever happens, the tallies equal the log."""

    @given(steps=STEPS, batch=st.integers(1, 5))
    @settings(max_examples=60)
    def test_the_sums_equal_the_log_after_every_step(self, steps: list[list[Look] | int], batch: int) -> None:
        made = content()
        seen = agents()
        for place, step in enumerate(steps):
            if isinstance(step, list):
                write(made, step, 1 + 100 * place, seen)
            else:
                ids = list(Event.objects.order_by("id").values_list("id", flat=True))[::2]
                Event.objects.filter(id__in=ids).update(origin=step)

            count_events(batch)

            assert tallied(made) == by_hand(made)
        before = tallied(made)
        recount(made.delivery_id)
        count_events()
        assert tallied(made) == before


@pytest.mark.django_db
def test_it_counts_each_event_once() -> None:
    made = content()
    write(made, [Look(1, EventKind.OPEN, Origin.PERSON, 0, 0, 0)] * 3, 1, agents())

    assert count_events() == 3
    assert count_events() == 0
    total = EventTally.objects.get(delivery_id=made.delivery_id, dimension=Dimension.TOTAL)
    assert (total.opens, total.opened) == (3, 1)
