"""Failures by reason and domain, with the servers' words."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deliveries.models import Delivery, Message
from deliveries.pages.failures import failures_of
from deliveries.sending.verdict import FailureType, Reason
from deliveries.states import MessageState
from tests.deliveries.factories import confirmed, delivery, people

WORDS = "550 5.1.1 <script>alert(1)</script> unknown user"


def refused(made: Delivery, numbers: range, words: str, domain: str = "example.org") -> None:
    """As if a server had refused these messages for good."""
    for number in numbers:
        Message.objects.of_delivery(made.pk).filter(pk=made.pk << 32 | number).update(
            state=MessageState.FAILED,
            failure_type=FailureType.HARD,
            reason=Reason.USER_UNKNOWN,
            reply=words,
            address=f"person{number}@{domain}",
        )


def shown(client: Client, made: Delivery) -> str:
    response = client.get(reverse("admin:deliveries_delivery_failures", args=[made.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_it_counts_by_domain_and_reason_with_the_commonest_answer(db: None) -> None:
    made = confirmed(delivery(people(9)))
    refused(made, range(1, 4), WORDS)
    refused(made, range(4, 5), "550 something else")
    refused(made, range(5, 6), "554 no", domain="example.net")
    Message.objects.filter(pk=made.pk << 32 | 6).update(
        attempts=1, reply="452 4.2.2 full", failure_type=FailureType.SOFT, reason=Reason.MAILBOX_FULL
    )

    found = [(one.domain, one.count, one.retried, one.words) for one in failures_of(made)]

    assert found == [
        ("example.org", 4, 0, WORDS),
        ("example.net", 1, 0, "554 no"),
        ("example.org", 1, 1, "452 4.2.2 full"),
    ]


def test_it_shows_the_servers_words_as_text(at_colleague: Client) -> None:
    made = confirmed(delivery(people(2), label="<script>alert(2)</script>"))
    refused(made, range(1, 2), WORDS)

    page = shown(at_colleague, made)

    assert "<script>alert(" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; unknown user" in page


def test_it_says_that_nothing_failed(at_colleague: Client) -> None:
    assert "Nothing has failed" in shown(at_colleague, confirmed(delivery(people(1))))


def test_it_passes_over_the_log_once(at_colleague: Client) -> None:
    made = confirmed(delivery(people(3)))
    refused(made, range(1, 4), WORDS)

    with CaptureQueriesContext(connection) as queries:
        shown(at_colleague, made)

    assert len([one for one in queries if "deliveries_message" in one["sql"]]) == 1
    assert len(queries) <= 8
