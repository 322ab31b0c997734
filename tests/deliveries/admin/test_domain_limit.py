"""Limits of recipient domains, as they are typed in."""

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import DomainLimit
from recipients.addresses import normalise


def add(client: Client, domain: str) -> str:
    """What the page says when this is typed in."""
    values = {"domain": domain, "messages_per_second": "5", "note": ""}
    return client.post(reverse("admin:deliveries_domainlimit_add"), values, follow=True).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed", ["münchen.example", "xn--mnchen-3ya.example", " @MÜNCHEN.example", "mu\u0308nchen.example"]
)
def test_a_limit_is_kept_with_the_domain_that_addresses_have(at_marketer: Client, typed: str) -> None:
    add(at_marketer, typed)

    limit = DomainLimit.objects.get()
    assert normalise("anna@xn--mnchen-3ya.example") == f"anna@{limit.domain}"


@pytest.mark.django_db
def test_one_domain_written_in_two_ways_has_one_limit(at_marketer: Client) -> None:
    add(at_marketer, "münchen.example")

    add(at_marketer, "xn--mnchen-3ya.example")

    assert DomainLimit.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed", ["https://example.com/", "anna@example.com", "*.example.com", "example", "example..com"]
)
def test_what_is_no_domain_is_refused_in_a_sentence(at_marketer: Client, typed: str) -> None:
    said = add(at_marketer, typed)

    assert "is not a" in said
    assert not DomainLimit.objects.exists()
