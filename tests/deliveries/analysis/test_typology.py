"""Typologies: which checks run, in what order, and what becomes of what they find."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries.analysis import typology
from deliveries.analysis.checks import CHECKS, Check, Finding, Phase
from deliveries.analysis.fingerprint import is_stale
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel, Delivery, Level, Typology, TypologyCheck
from deliveries.states import DeliveryState
from tests.deliveries import factories

pytestmark = pytest.mark.django_db

KEY = "html_offers_unsubscription"


@pytest.fixture
def own() -> Typology:
    made = Typology.objects.create(name="Own")
    typology.complete(made)
    return made


def set_level(owner: Typology, key: str, level: CheckLevel) -> None:
    owner.checks.filter(check_key=key).update(level=level)


def analysed(**values: object) -> Delivery:
    return factories.analysed(factories.delivery(factories.people(1), **values))


def levels(made: Delivery, key: str) -> list[str]:
    return list(made.journal.filter(check_key=key).values_list("level", flat=True))


def test_a_new_installation_has_a_default_typology_with_every_check_that_can_be_set():
    default = Typology.objects.get(is_default=True)

    assert set(default.checks.values_list("check_key", flat=True)) == {
        check.key for check in CHECKS.values() if not check.required
    }


@pytest.mark.parametrize("level", [CheckLevel.INFO, CheckLevel.WARNING, CheckLevel.ERROR])
def test_the_level_comes_from_the_deliverys_typology(own: Typology, level: CheckLevel):
    set_level(own, KEY, level)

    made = analysed(html="<p>Hello</p>", typology=own)

    assert levels(made, KEY) == [level.value]
    expected = DeliveryState.ANALYSIS_FAILED if level is CheckLevel.ERROR else DeliveryState.READY
    assert made.current_state is expected


def test_a_check_that_is_off_says_nothing(own: Typology):
    set_level(own, KEY, CheckLevel.OFF)

    assert levels(analysed(html="<p>Hello</p>", typology=own), KEY) == []


def test_a_delivery_that_names_no_typology_uses_the_default_one():
    set_level(Typology.objects.get(is_default=True), KEY, CheckLevel.INFO)

    assert levels(analysed(html="<p>Hello</p>"), KEY) == ["info"]


def test_without_any_typology_checks_are_used_as_they_were_made():
    Typology.objects.all().delete()

    assert levels(analysed(html="<p>Hello</p>"), KEY) == ["warning"]


def test_checks_run_in_the_typologys_order_after_the_required_ones(own: Typology):
    own.checks.filter(check_key=KEY).update(order=1)

    keys = [one.check.key for one in typology.plan(own)]

    required = [check.key for check in CHECKS.values() if check.required]
    assert keys[: len(required)] == required
    assert keys[len(required)] == KEY


def test_what_makes_sending_impossible_cannot_be_switched_off(own: Typology):
    TypologyCheck.objects.create(typology=own, check_key="sender_is_present", order=1, level=CheckLevel.OFF)

    made = analysed(sender_address="", typology=own)

    assert levels(made, "sender_is_present") == ["error"]


def test_a_row_of_a_check_that_is_not_there_any_more_changes_nothing(own: Typology):
    TypologyCheck.objects.create(typology=own, check_key="was_taken_away", order=1, level=CheckLevel.ERROR)

    assert analysed(typology=own).current_state is DeliveryState.READY


def test_a_typology_is_completed_with_new_checks_and_keeps_what_people_set(own: Typology):
    set_level(own, KEY, CheckLevel.ERROR)
    own.checks.filter(check_key="subject_is_present").delete()

    typology.complete_all()

    assert own.checks.get(check_key="subject_is_present").level == CheckLevel.ERROR
    assert own.checks.get(check_key=KEY).level == CheckLevel.ERROR


def test_a_change_of_the_typology_makes_an_analysis_stale(own: Typology):
    made = analysed(typology=own)
    assert not is_stale(made)

    set_level(own, KEY, CheckLevel.ERROR)

    assert is_stale(made)


def added(monkeypatch: pytest.MonkeyPatch, function: object) -> None:
    """A check of this test's own."""
    check = Check("own_check", "Own check", "", function, Phase.CONTENT, 50, CheckLevel.WARNING, False)  # type: ignore[arg-type]
    monkeypatch.setattr(typology, "CHECKS", {**CHECKS, check.key: check})


def test_a_finding_may_bring_a_level_of_its_own(monkeypatch: pytest.MonkeyPatch):
    def finds(material: Material) -> Iterator[str | Finding]:
        yield "Weighs what the typology says."
        yield Finding(Level.INFO, "Is always an information.")

    added(monkeypatch, finds)

    assert levels(analysed(), "own_check") == ["warning", "info"]


def test_a_check_that_breaks_is_a_warning_and_does_not_break_the_analysis(monkeypatch: pytest.MonkeyPatch):
    def breaks(material: Material) -> Iterator[str]:
        raise RuntimeError("no such thing")

    added(monkeypatch, breaks)

    made = analysed()

    assert made.current_state is DeliveryState.READY
    assert "This check broke" in made.journal.get(check_key="own_check").sentence


def test_the_checks_of_the_content_cost_few_queries():
    made = factories.delivery(factories.people(1))
    material = factories.material(made)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        list(typology.findings(material, Phase.CONTENT))

    assert len(queries) <= 12, [query["sql"] for query in queries]
