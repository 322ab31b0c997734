"""The page of an A/B test."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from campaign.lib.clock import now
from deliveries.models import AbTest, Delivery, DeliveryTemplate, Variant
from deliveries.states import DeliveryState
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db

GOOD = {"share": "30", "measure": "clicks", "wait": "4h", "confidence": "95", "unsure": "ask", "B_subject": "Other"}


def page(name: str, delivery: Delivery, *rest: object) -> str:
    return reverse(f"admin:deliveries_delivery_{name}", args=[delivery.pk, *rest])


def test_it_is_set_up_changed_and_removed(admin_client: Client):
    delivery = factories.delivery(factories.people(6))

    admin_client.post(page("ab_test", delivery), {**GOOD, "C_html": "<p>Third</p>"})
    test = AbTest.objects.get(delivery=delivery)
    assert (test.share, str(test.wait)) == (30, "4:00:00")
    assert [(each.letter, each.subject, each.html) for each in test.variants.all()] == [
        ("A", "", ""), ("B", "Other", ""), ("C", "", "<p>Third</p>"),
    ]  # fmt: skip
    assert "Variant C" in admin_client.get(page("ab_test", delivery)).content.decode()

    admin_client.post(page("ab_test", delivery), GOOD)
    assert list(test.variants.values_list("letter", flat=True)) == ["A", "B"]

    admin_client.post(page("ab_test_removal", delivery))
    assert not AbTest.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"B_subject": ""}, "Write what variant B says"),
        ({"wait": "soon"}, "is not a duration"),
        ({"share": "100"}, "Write a number from 0.1 to 90."),
        ({"confidence": "101"}, "Write a number from 50 to 99.9."),
    ],
)
def test_a_mistake_is_said_beside_its_field(admin_client: Client, change: dict[str, str], sentence: str):
    delivery = factories.delivery(factories.people(6))

    answer = admin_client.post(page("ab_test", delivery), {**GOOD, **change})

    assert sentence in answer.content.decode()
    assert not AbTest.objects.exists()


def test_saving_sets_an_analysis_aside(admin_client: Client):
    delivery = factories.analysed(factories.delivery(factories.people(6)))

    admin_client.post(page("ab_test", delivery), GOOD)

    delivery.refresh_from_db()
    assert delivery.current_state is DeliveryState.EDITING


def test_what_the_template_locks_is_not_tested(admin_client: Client):
    template = DeliveryTemplate.objects.create(label="Fixed", locked=["subject"])
    delivery = factories.delivery(factories.people(6), template=template)

    answer = admin_client.post(page("ab_test", delivery), GOOD)

    assert "Locked by the template" in answer.content.decode()
    assert not AbTest.objects.exists()


def test_the_variants_stand_beside_each_other_and_one_is_sent_to_the_rest(
    admin_client: Client, worker, smtp_sink: SinkThread, django_assert_max_num_queries
):
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(10))
    factories.ab_test(made, "Other", share=40)
    delivery = factories.send(worker, factories.confirmed(made))

    with django_assert_max_num_queries(20):
        shown = admin_client.get(page("ab_test", delivery)).content.decode()
    assert "6 messages wait for the winner" in shown
    assert "Send B to the rest…" in shown
    asked = admin_client.get(page("choose_variant", delivery, "B")).content.decode()
    assert "Send variant B to 6 messages that wait?" in asked
    assert AbTest.objects.get().winner is None

    admin_client.post(page("choose_variant", delivery, "B"))

    assert "Variant B won." in admin_client.get(page("ab_test", delivery)).content.decode()
    again = admin_client.post(page("choose_variant", delivery, "A"), follow=True).content.decode()
    assert "chosen already by admin: variant B." in again


def test_choosing_takes_the_right_to_start(client: Client, worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(10))
    factories.ab_test(made, "Other", share=40)
    delivery = factories.send(worker, factories.confirmed(made))
    person = User.objects.create_user("editor", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="change_delivery"))
    client.force_login(person)

    assert "to the rest…" not in client.get(page("ab_test", delivery)).content.decode()
    assert client.post(page("choose_variant", delivery, "B")).status_code == 403
    assert client.post(page("ab_test", delivery), GOOD).status_code == 403


def test_a_copy_tests_the_same_way(admin_client: Client):
    delivery = factories.delivery(factories.people(6))
    factories.ab_test(delivery, "Other", share=40)

    admin_client.post(page("act", delivery, "duplicate"))

    copied = AbTest.objects.exclude(delivery=delivery).get()
    assert (copied.share, copied.winner_id) == (40, None)
    assert list(copied.variants.values_list("letter", "subject")) == [("A", ""), ("B", "Other")]


def test_a_proof_shows_one_variant(admin_client: Client):
    delivery = factories.delivery(factories.people(6))
    factories.ab_test(delivery, "Other")

    admin_client.post(page("proof", delivery), {"addresses": "me@example.org", "formats": "as_sent", "variant": "B"})

    proof = Delivery.objects.get(proof_of=delivery)
    assert proof.subject == "Proof #1 (B): Other"
    assert not Variant.objects.filter(test__delivery=proof).exists()


def test_the_home_page_names_a_test_that_asks_for_a_choice(admin_client: Client, worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(10))
    factories.ab_test(made, "Other", share=40)
    delivery = factories.send(worker, factories.confirmed(made))
    assert "has no clear winner" not in admin_client.get("/admin/").content.decode()

    AbTest.objects.update(asked_at=now())

    home = admin_client.get("/admin/").content.decode()
    assert "The A/B test of “Spring news” has no clear winner" in home
    assert page("ab_test", delivery) in home


def test_the_preview_shows_each_variant(admin_client: Client):
    delivery = factories.delivery(factories.people(6))
    test = factories.ab_test(delivery, "For {{ recipient.first_name }} alone")
    test.variants.filter(letter="B").update(html="<p>Quite another text</p>")
    reader = delivery.target_lists.get().recipients.earliest("pk")

    first = admin_client.get(page("preview", delivery)).content.decode()
    second = admin_client.get(page("preview", delivery), {"variant": "B"}).content.decode()

    assert f"News for {reader.first_name}" in first
    assert f"For {reader.first_name} alone" in second
    frame = admin_client.get(page("preview_html", delivery, reader.pk) + "?variant=B").content.decode()
    assert "Quite another text" in frame
