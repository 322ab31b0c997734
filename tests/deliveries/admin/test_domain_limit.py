"""Limits of recipient domains, as they are typed in."""

import re

import pytest
import redis
from django.test import Client
from django.urls import reverse

from deliveries.models import DomainLimit
from deliveries.sending import throttle
from deliveries.sending.throttle import FEWEST_COMPLAINTS, Throttle
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


def listed(client: Client) -> str:
    return client.get(reverse("admin:deliveries_domainlimit_changelist")).content.decode()


@pytest.mark.django_db
def test_the_list_names_domains_that_are_slowed_down_and_what_they_get(at_marketer: Client) -> None:
    DomainLimit.objects.create(domain="slow.example", messages_per_second=8)
    assert "Slowed down just now" not in listed(at_marketer)
    turns = Throttle()
    turns.limits(0.0, "slow.example")
    turns.turn(7, 0.0, "slow.example")
    for _ in range(FEWEST_COMPLAINTS):
        turns.complain("slow.example")

    page = listed(at_marketer)

    assert "Slowed down just now" in page
    shown = page.partition("Slowed down just now")[2].partition("</dl>")[0]
    assert re.search(r"<dt>slow\.example</dt><dd>2[4-9]\d messages per minute", shown)  # half its limit, growing slowly


@pytest.mark.django_db
def test_the_list_says_that_redis_is_away(at_marketer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "brief_redis", lambda: redis.Redis.from_url("redis://127.0.0.1:1"))

    assert "Redis does not answer" in listed(at_marketer)
