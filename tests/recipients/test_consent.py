"""Denylist, subscriptions and their history."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from recipients.denylist import allow, deny
from recipients.history import Origin
from recipients.models import ConsentEvent, Denylist, Recipient, Service, Subscription
from recipients.subscriptions import subscribe, unsubscribe
from tests.factories import recipient

pytestmark = pytest.mark.django_db

HERE = Origin("form", by="ada", message_id=7)


def lines() -> list[tuple[str, str, str, str]]:
    return list(ConsentEvent.objects.order_by("pk").values_list("service_name", "state", "source", "by"))


def test_it_writes_down_each_change_once():
    person, service = recipient(), Service.objects.create(name="Weekly")

    assert subscribe(person, service, HERE)
    assert not subscribe(person, service, HERE)
    assert unsubscribe(person, service, HERE)
    assert not unsubscribe(person, service, HERE)
    assert deny(person, source="phone", by="bob")
    assert allow(person, source="phone")

    assert lines() == [
        ("Weekly", "given", "form", "ada"),
        ("Weekly", "withdrawn", "form", "ada"),
        ("", "withdrawn", "phone", "bob"),
        ("", "given", "phone", ""),
    ]


def test_it_begins_the_subscription_anew_when_it_is_given_again():
    person, service = recipient(), Service.objects.create(name="Weekly")
    subscribe(person, service, Origin("paper"))
    unsubscribe(person, service, HERE)

    subscribe(person, service, Origin("form"))

    subscription = Subscription.objects.get()
    assert (subscription.source, subscription.withdrawn_at) == ("form", None)


def test_it_refuses_to_change_a_line():
    deny(recipient(), source="phone")

    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        ConsentEvent.objects.update(source="nowhere")


def test_it_keeps_the_history_of_a_service_that_is_gone_and_loses_it_with_the_person():
    person, service = recipient(), Service.objects.create(name="Weekly")
    subscribe(person, service, HERE)

    service.delete()
    assert lines() == [("Weekly", "given", "form", "ada")]
    assert str(ConsentEvent.objects.get()) == "Weekly: given"

    person.delete()
    assert not ConsentEvent.objects.exists()


def test_it_writes_down_what_is_done_in_the_administration(admin_client: Client):
    person, service = recipient(), Service.objects.create(name="Weekly")
    page = f"/admin/recipients/recipient/{person.pk}/change/"
    form = {
        "address": "ada@example.org",
        "consent": "given",
        "consent_source": "fair",
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
        "subscriptions-TOTAL_FORMS": 1,
        "subscriptions-INITIAL_FORMS": 0,
        "subscriptions-0-service": service.pk,
        "subscriptions-0-recipient": person.pk,
        "consent_events-TOTAL_FORMS": 0,
        "consent_events-INITIAL_FORMS": 0,
    }

    assert admin_client.post(page, form).status_code == 302
    admin_client.post("/admin/recipients/denylist/add/", {"recipient": person.pk, "source": "phone"})
    entry = Denylist.objects.get()
    admin_client.post(f"/admin/recipients/denylist/{entry.pk}/delete/", {"post": "yes"})

    assert lines() == [
        ("", "given", "fair", "admin"),
        ("Weekly", "given", "written down in the administration", "admin"),
        ("", "withdrawn", "phone", "admin"),
        ("", "given", "taken off the denylist in the administration", "admin"),
    ]
    shown = admin_client.get(page).content.decode()
    assert "written down in the administration" in shown
    assert Recipient.objects.get().consent == "given"
