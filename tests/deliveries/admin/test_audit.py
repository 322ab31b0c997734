"""The audit trail: what is in it, how one finds it, and that nobody changes it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from campaign.lib.clock import now
from deliveries.actions.delete import delete
from deliveries.models import AuditLine, Delivery
from deliveries.moves import write_audit
from tests.deliveries.admin.test_delivery_form import save
from tests.deliveries.factories import delivery
from tests.people import person


def listed(client: Client, **query: Any) -> str:
    response = client.get(reverse("admin:deliveries_auditline_changelist"), query)
    assert response.status_code == 200
    return response.content.decode()


def test_one_finds_lines_by_delivery_person_time_and_words(at_colleague: Client, marketer: User) -> None:
    spring, autumn = delivery(label="Spring"), delivery(label="Autumn")
    write_audit(spring, "Paused.", by=marketer)
    write_audit(autumn, "Resumed.")

    for query in (
        {"delivery__id__exact": spring.pk},
        {"user__id__exact": marketer.pk},
        {"q": "paused"},
        {"q": "spring"},
    ):
        page = listed(at_colleague, **query)
        assert "Paused." in page, query
        assert "Resumed." not in page, query
    year = now().year
    assert "Paused." in listed(at_colleague, at__year=year)
    assert "Paused." not in listed(at_colleague, at__year=year - 1)


def test_it_escapes_what_people_wrote(at_colleague: Client) -> None:
    write_audit(delivery(label="<script>alert(1)</script>"), "Sent back: <script>alert(2)</script>")

    page = listed(at_colleague)

    assert "<script>alert(" not in page
    assert "&lt;script&gt;alert(2)" in page


def test_an_edit_says_what_was_and_what_is(at_marketer: Client) -> None:
    made, reviewer = delivery(), person("reviewer", Q())

    save(at_marketer, made, approval_mode="automatic", html="<p>long</p>" * 20, reviewers=[reviewer.pk], code="M5")

    [sentence] = AuditLine.objects.filter(delivery=made).values_list("sentence", flat=True)
    assert "approval mode (“Manual: a person confirms” → “Automatic: it starts by itself, warnings or not”)" in sentence
    assert "who may start it (“nobody” → “reviewer”)" in sentence
    assert "(“nothing” → “M5”)" in sentence
    assert "html" in sentence.lower()
    assert "<p>" not in sentence


def test_it_outlives_the_delivery_and_the_person(db: None) -> None:
    somebody = User.objects.create_user("somebody")
    made = delivery(label="Gone")
    write_audit(made, "Paused.", by=somebody)

    delete(made)
    somebody.delete()

    line = AuditLine.objects.get(sentence="Paused.")
    assert (line.delivery, line.delivery_label, line.user, line.user_name) == (None, "Gone", None, "somebody")


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines.update(user_name="innocent"),
        lambda lines: lines.update(at=now()),
        lambda lines: lines.update(delivery_id=Delivery.objects.latest("pk").pk),
        lambda lines: lines.update(delivery_label="Another"),
    ],
)
def test_the_database_itself_keeps_who_did_something_and_when(db: None, change: Any) -> None:
    write_audit(delivery(), "Paused.")
    delivery(label="Another")

    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        change(AuditLine.objects.all())

    assert AuditLine.objects.get().delivery_label == "Spring news"


def test_it_costs_the_same_for_many_lines_as_for_few(
    at_colleague: Client, marketer: User, django_assert_max_num_queries: Any
) -> None:
    made = delivery()
    for number in range(60):
        write_audit(made, f"Act {number}", by=marketer)

    with django_assert_max_num_queries(12):
        listed(at_colleague)
