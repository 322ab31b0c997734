from django.test import Client
from django.urls import reverse

from deliveries.models import DeliveryTemplate, PersonalizationBlock
from tests.deliveries.admin.test_delivery_form import SCHEDULE


def test_it_has_the_same_form_as_a_delivery(at_marketer: Client) -> None:
    page = at_marketer.get(reverse("admin:deliveries_deliverytemplate_add")).content.decode()

    assert "data-insert-into" in page
    assert 'name="new_images"' in page
    assert 'name="target_lists"' not in page


def test_it_creates_a_template(at_marketer: Client) -> None:
    at_marketer.post(reverse("admin:deliveries_deliverytemplate_add"), {"label": "Monthly", **SCHEDULE})

    assert DeliveryTemplate.objects.filter(label="Monthly").exists()


def test_it_leads_from_the_list_to_a_delivery(at_marketer: Client) -> None:
    template = DeliveryTemplate.objects.create(label="Monthly")

    page = at_marketer.get(reverse("admin:deliveries_deliverytemplate_changelist")).content.decode()

    assert f"{reverse('admin:deliveries_delivery_create')}?template={template.pk}" in page


def test_it_offers_fields_and_blocks_to_insert(at_marketer: Client) -> None:
    PersonalizationBlock.objects.create(name="greeting_test", label="Greeting of the test")

    page = at_marketer.get(reverse("admin:deliveries_deliverytemplate_add")).content.decode()

    assert '<option value="{{ recipient.first_name }}">' in page
    assert '<option value="{% include &#x27;greeting_test&#x27; %}">Greeting of the test</option>' in page
