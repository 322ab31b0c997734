"""The admin of typologies."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliveries.analysis.typology import complete
from deliveries.models import CheckLevel, Typology
from tests.deliveries import factories

pytestmark = pytest.mark.django_db

ADD = "admin:deliveries_typology_add"
CHANGE = "admin:deliveries_typology_change"


def posted(owner: Typology, **changes: object) -> dict[str, object]:
    """The form as the page shows it, with changes to the first check."""
    rows = list(owner.checks.all())
    data: dict[str, object] = {
        "name": owner.name,
        "description": owner.description,
        "checks-TOTAL_FORMS": len(rows),
        "checks-INITIAL_FORMS": len(rows),
        "checks-MIN_NUM_FORMS": 0,
        "checks-MAX_NUM_FORMS": 0,
    }
    for number, row in enumerate(rows):
        data |= {
            f"checks-{number}-id": row.pk,
            f"checks-{number}-typology": owner.pk,
            f"checks-{number}-order": row.order,
            f"checks-{number}-level": row.level,
        }
    return data | changes


def test_a_new_typology_gets_every_check_and_its_page_shows_them(at_marketer: Client):
    page = at_marketer.post(reverse(ADD), {"name": "Strict", "description": ""}, follow=True)

    made = Typology.objects.get(name="Strict")
    assert page.redirect_chain[-1][0] == reverse(CHANGE, args=[made.pk])
    assert made.checks.exists()
    assert "Unsubscription link in the HTML content" in page.content.decode()
    assert "always checked first" in page.content.decode().lower()


def test_order_and_level_of_a_check_are_set_on_its_page(at_marketer: Client):
    made = Typology.objects.create(name="Strict")
    complete(made)
    first = made.checks.all()[0]

    answer = at_marketer.post(
        reverse(CHANGE, args=[made.pk]), posted(made, **{"checks-0-order": 77, "checks-0-level": "off"})
    )

    assert answer.status_code == 302
    first.refresh_from_db()
    assert (first.order, first.level) == (77, CheckLevel.OFF)


def test_a_second_default_takes_the_mark_from_the_first(at_marketer: Client):
    at_marketer.post(reverse(ADD), {"name": "Strict", "description": "", "is_default": "on"})

    assert Typology.objects.get(is_default=True).name == "Strict"


def test_a_typology_in_use_is_not_deleted(at_marketer: Client):
    made = Typology.objects.create(name="Strict")
    factories.delivery(typology=made)
    url = reverse("admin:deliveries_typology_delete", args=[made.pk])

    page = at_marketer.get(url).content.decode()
    at_marketer.post(url, {"post": "yes"})

    assert "Used by deliveries: 1" in page
    assert Typology.objects.filter(pk=made.pk).exists()


def test_who_may_only_look_sees_the_checks_and_changes_nothing(at_colleague: Client, colleague: User):
    made = Typology.objects.get(is_default=True)

    page = at_colleague.get(reverse(CHANGE, args=[made.pk]))

    assert page.status_code == 200
    assert at_colleague.post(reverse(CHANGE, args=[made.pk]), {}).status_code == 403


def test_the_page_costs_the_same_however_many_checks_there_are(at_marketer: Client, django_assert_max_num_queries):
    made = Typology.objects.get(is_default=True)

    with django_assert_max_num_queries(15):
        at_marketer.get(reverse(CHANGE, args=[made.pk]))
