"""Where a value comes from, locked fields, the platform's defaults, and templates made of deliveries."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.actions.base import ActionRefused
from deliveries.actions.create import create
from deliveries.actions.save_as_template import save_as_template
from deliveries.admin.origin import OWN
from deliveries.models import Delivery, DeliveryTemplate, PlatformDefaults, Properties
from tests.deliveries.admin.test_delivery_form import save
from tests.deliveries.factories import delivery

pytestmark = pytest.mark.django_db


def form_of(client: Client, made: Delivery) -> dict[str, str]:
    """Help texts of the delivery's form."""
    page = client.get(reverse("admin:deliveries_delivery_change", args=[made.pk]))
    return {name: str(field.help_text) for name, field in page.context["adminform"].form.fields.items()}


def test_it_says_where_each_value_comes_from(at_marketer: Client) -> None:
    template = DeliveryTemplate.objects.create(label="Brand", max_retries=9, priority=2)
    made = create(template, label="News")
    Delivery.objects.filter(pk=made.pk).update(max_retries=3)

    helps = form_of(at_marketer, made)

    assert "Changed here; the template “Brand” has: 9." in helps["max_retries"]
    assert "From the template “Brand”." in helps["priority"]
    assert "Platform default." in helps["validity"]
    assert "c-origin" not in helps["label"]


def test_it_speaks_of_choices_and_durations_as_the_form_does(at_marketer: Client) -> None:
    template = DeliveryTemplate.objects.create(label="Brand", priority=2, validity=timedelta(hours=36))
    made = create(template, label="News")
    Delivery.objects.filter(pk=made.pk).update(priority=1, validity=timedelta(days=1))

    helps = form_of(at_marketer, made)

    assert "has: High." in helps["priority"]
    assert "has: 1d 12h." in helps["validity"]


def test_it_lets_nobody_change_a_locked_field(at_marketer: Client) -> None:
    template = DeliveryTemplate.objects.create(label="Brand", max_retries=9, locked=["max_retries", "html"])
    made = create(template, label="News")

    assert "Locked by the template “Brand”." in form_of(at_marketer, made)["max_retries"]
    save(at_marketer, made, max_retries=1, html="<p>Mine</p>", subject="Still mine")

    assert made.max_retries == 9
    assert made.html == ""
    assert made.subject == "Still mine"


def test_it_keeps_the_platforms_defaults_out_of_the_templates(admin_client: Client) -> None:
    row = PlatformDefaults.objects.ensured()

    assert not DeliveryTemplate.objects.filter(pk=row.pk).exists()
    answer = admin_client.get(reverse("admin:deliveries_platformdefaults_changelist"))
    assert answer["Location"] == reverse("admin:deliveries_platformdefaults_change", args=[row.pk])
    assert admin_client.get(answer["Location"]).status_code == 200
    assert PlatformDefaults.objects.ensured().pk == row.pk


def test_every_property_but_identity_and_content_has_a_default_of_the_platform(admin_client: Client) -> None:
    row = PlatformDefaults.objects.ensured()

    page = admin_client.get(reverse("admin:deliveries_platformdefaults_change", args=[row.pk]))

    assert set(Properties.property_names()) - set(page.context["adminform"].form.fields) == OWN


def test_it_begins_a_new_template_with_the_platforms_defaults(admin_client: Client) -> None:
    PlatformDefaults.objects.ensured()
    PlatformDefaults.objects.update(max_retries=7, sender_address="news@brand.example")

    form = admin_client.get(reverse("admin:deliveries_deliverytemplate_add")).context["adminform"].form

    assert form["max_retries"].value() == 7
    assert form["sender_address"].value() == "news@brand.example"


def test_it_keeps_a_delivery_as_a_template(admin_client: Client) -> None:
    made = delivery(subject="Kept", smtp_headers="X-Tag: a")
    address = reverse("admin:deliveries_delivery_save_as_template", args=[made.pk])
    assert 'value="Spring news"' in admin_client.get(address).content.decode()

    admin_client.post(address, {"label": "Spring"})

    template = DeliveryTemplate.objects.get(label="Spring")
    assert (template.subject, template.smtp_headers) == ("Kept", "X-Tag: a")
    again = admin_client.post(address, {"label": "Spring"})
    assert "There is a template “Spring” already. Choose another name." in again.content.decode()
    assert "Give the template a name." in admin_client.post(address, {"label": " "}).content.decode()


def test_it_duplicates_a_template_with_its_locks(admin_client: Client) -> None:
    template = DeliveryTemplate.objects.create(label="Brand", locked=["html"], html="<p>x</p>")

    admin_client.post(reverse("admin:deliveries_deliverytemplate_duplicate", args=[template.pk]), {"label": "Brand 2"})

    copy = DeliveryTemplate.objects.get(label="Brand 2")
    assert (copy.locked, copy.html) == (["html"], "<p>x</p>")
    with pytest.raises(ActionRefused, match="already"):
        save_as_template(template, "Platform defaults" if PlatformDefaults.objects.ensured() else "")


def test_it_shows_a_picture_of_a_template_that_runs_nothing(admin_client: Client, client: Client) -> None:
    template = DeliveryTemplate.objects.create(
        label="Brand", html="<script>alert(1)</script><p>Hello {{ recipient.first_name }}</p>"
    )
    address = reverse("admin:deliveries_deliverytemplate_picture", args=[template.pk])

    page = admin_client.get(address)

    assert "Hello Anna" in page.content.decode()
    assert page["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    listed = admin_client.get(reverse("admin:deliveries_deliverytemplate_changelist")).content.decode()
    assert address in listed
    assert client.get(address).status_code in {302, 403}


def test_it_shows_what_is_wrong_instead_of_a_picture(admin_client: Client) -> None:
    template = DeliveryTemplate.objects.create(label="Broken", html="{{ recipient.nme }}")

    page = admin_client.get(reverse("admin:deliveries_deliverytemplate_picture", args=[template.pk])).content.decode()

    assert "Unknown field recipient.nme" in page
