import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery, DeliveryTemplate

URL = "/admin/deliveries/delivery/create/"


@pytest.fixture
def template(db: None) -> DeliveryTemplate:
    return DeliveryTemplate.objects.create(label="Monthly", subject="News of the month")


def test_it_creates_a_copy_of_the_template_and_leads_to_its_form(
    at_marketer: Client, marketer: User, template: DeliveryTemplate
) -> None:
    response = at_marketer.post(URL, {"template": template.pk, "label": "May"})

    made = Delivery.objects.get()
    assert response["Location"] == reverse("admin:deliveries_delivery_change", args=[made.pk])
    assert (made.label, made.subject, made.created_by) == ("May", "News of the month", marketer)


def test_it_keeps_the_choice_and_says_what_is_missing(at_marketer: Client, template: DeliveryTemplate) -> None:
    page = at_marketer.post(URL, {"template": template.pk, "label": ""}).content.decode()

    assert "Give the delivery a label." in page
    assert f'value="{template.pk}" checked' in page


def test_it_keeps_the_label_when_no_template_is_chosen(at_marketer: Client, template: DeliveryTemplate) -> None:
    page = at_marketer.post(URL, {"label": "May"}).content.decode()

    assert "Choose a template." in page
    assert 'value="May"' in page


def test_it_begins_with_the_template_one_comes_from(at_marketer: Client, template: DeliveryTemplate) -> None:
    page = at_marketer.get(URL, {"template": template.pk}).content.decode()

    assert f'value="{template.pk}" checked' in page


def test_it_says_so_when_there_is_no_template(at_marketer: Client) -> None:
    DeliveryTemplate.objects.all().delete()

    assert "No delivery template yet" in at_marketer.get(URL).content.decode()


def test_it_replaces_the_empty_form_of_the_admin(at_marketer: Client) -> None:
    assert at_marketer.get(reverse("admin:deliveries_delivery_add"))["Location"] == URL


@pytest.mark.parametrize("method", ["get", "post"])
def test_it_is_for_those_who_may_add(
    at_colleague: Client, at_outsider: Client, template: DeliveryTemplate, method: str
) -> None:
    for client in (at_colleague, at_outsider):
        assert getattr(client, method)(URL, {"template": template.pk, "label": "May"}).status_code == 403
    assert not Delivery.objects.exists()
