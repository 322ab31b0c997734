"""Whether the content fits the mirror page's mode."""

import pytest

from deliveries.models import Delivery, Level, MirrorMode
from deliveries.states import DeliveryState
from tests.deliveries.factories import analysed, builtin_blocks, delivery, people

pytestmark = pytest.mark.django_db

LINKED = "<p>Hello</p>{% include 'mirror_link' %}{% include 'unsubscribe_link' %}"
PLAIN = "<p>Hello</p>{% include 'unsubscribe_link' %}"


def made(**values: object) -> Delivery:
    builtin_blocks()
    return analysed(delivery(people(1), **values))


def said(one: Delivery, level: Level) -> str:
    return " ".join(
        one.journal.filter(level=level, sentence__contains="mirror page").values_list("sentence", flat=True)
    )


@pytest.mark.parametrize(
    ("mode", "html", "has_page"),
    [
        (MirrorMode.DEFAULT, LINKED, True),
        (MirrorMode.DEFAULT, PLAIN, False),
        (MirrorMode.FORCE, PLAIN, True),
        (MirrorMode.IDENTIFIER, PLAIN, True),
        (MirrorMode.NONE, LINKED, False),
        (MirrorMode.NONE, PLAIN, False),
    ],
)
def test_it_decides_by_mode_and_link_whether_there_is_a_page(mode: MirrorMode, html: str, has_page: bool) -> None:
    one = made(html=html, mirror_mode=mode)

    assert one.content is not None
    assert one.content.compiled["has_mirror"] is has_page


def test_it_warns_of_a_dead_link() -> None:
    assert "the link leads nowhere" in said(made(html=LINKED, mirror_mode=MirrorMode.NONE), Level.WARNING)


def test_it_warns_of_a_link_that_the_mode_does_not_want() -> None:
    assert "mode is for pages without one" in said(made(html=LINKED, mirror_mode=MirrorMode.IDENTIFIER), Level.WARNING)


@pytest.mark.parametrize("mode", [MirrorMode.FORCE, MirrorMode.IDENTIFIER])
def test_it_wants_html_for_a_page(mode: MirrorMode) -> None:
    one = made(html="", text="Hello", mirror_mode=mode)

    assert one.current_state is DeliveryState.ANALYSIS_FAILED
    assert "needs an HTML content" in said(one, Level.ERROR)


def test_it_warns_of_a_link_in_a_text_without_html() -> None:
    one = made(html="", text="Look: {{ message.mirror_url }}")

    assert one.current_state is DeliveryState.READY
    assert "without an HTML content there is no such page" in said(one, Level.WARNING)
