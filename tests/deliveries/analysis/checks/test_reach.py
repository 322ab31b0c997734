"""Whether links and images answer."""

import pytest

from deliveries.analysis.checks import CHECKS, reach
from deliveries.analysis.typology import plan
from deliveries.models import CheckLevel
from deliveries.outside.visit import MOST_URLS, Answer
from tests.deliveries.analysis.checks import found

pytestmark = pytest.mark.django_db

OK = "https://www.site.net/a"


def answers(monkeypatch: pytest.MonkeyPatch, **known: Answer) -> list[str]:
    """Answers by the last part of an address; gives the addresses that are asked for."""
    asked: list[str] = []

    def visit(urls) -> dict[str, Answer]:
        wanted = list(urls)
        asked.extend(wanted)
        return {url: known.get(url.rpartition("/")[2], Answer(200, "", "image/png", 10)) for url in wanted}

    monkeypatch.setattr("deliveries.analysis.material.visit", visit)
    return asked


def linked(*names: str) -> str:
    return "".join(f'<a href="https://www.site.net/{name}">{name}</a>' for name in names)


def test_it_is_off_until_somebody_asks():
    assert CHECKS["links_answer"].level is CheckLevel.OFF
    assert CHECKS["images_answer"].level is CheckLevel.OFF
    assert not {"links_answer", "images_answer"} & {one.check.key for one in plan(None)}


def test_links_that_do_not_work_are_named_with_the_reason(monkeypatch: pytest.MonkeyPatch):
    answers(monkeypatch, b=Answer(404), c=Answer(problem="There is no host www.site.net."), d=Answer(503))

    said = found(reach.links_answer, html=linked("a", "b", "c", "d"))

    assert "“https://www.site.net/b: answers 404”" in said
    assert "There is no host" in said
    assert "answers 503" in said
    assert "net/a" not in said


def test_a_link_that_lets_no_program_in_is_not_called_broken(monkeypatch: pytest.MonkeyPatch):
    answers(monkeypatch, b=Answer(403))

    said = found(reach.links_answer, html=linked("a", "b"))

    assert "do not work" not in said
    assert "Open them yourself" in said


def test_only_fixed_web_addresses_are_asked_for_and_each_once(monkeypatch: pytest.MonkeyPatch):
    asked = answers(monkeypatch)
    html = (
        linked("a", "a") + '<a href="{{ message.unsubscribe_url }}">x</a><a href="mailto:a@site.net">m</a>'
        '<a href="https://www.site.net/{{ recipient.first_name }}">y</a><img src="cid:logo"><a href="#x">z</a>'
    )

    assert found(reach.links_answer, html=html) == ""
    assert asked == [OK]


def test_images_that_are_missing_no_images_or_heavy_are_named(monkeypatch: pytest.MonkeyPatch):
    answers(monkeypatch, b=Answer(404), c=Answer(200, "", "text/html", 10), d=Answer(200, "", "image/png", 900_000))
    html = "".join(f'<img src="https://www.site.net/{name}">' for name in "abcd")

    said = found(reach.images_answer, html=html)

    assert "“https://www.site.net/b: answers 404”" in said
    assert "give no image: “https://www.site.net/c”" in said
    assert "https://www.site.net/d (900 kB)" in said
    assert "net/a" not in said


def test_of_very_many_links_some_are_opened_and_that_is_said(monkeypatch: pytest.MonkeyPatch):
    asked = answers(monkeypatch)

    said = found(reach.links_answer, html=linked(*map(str, range(MOST_URLS + 7))))

    assert "7 further links were not opened" in said
    assert len(asked) == MOST_URLS
