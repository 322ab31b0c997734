"""The sender."""

import pytest

from deliveries.analysis.checks import sender
from tests.deliveries.analysis.checks import found

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("field", ["sender_address", "reply_address"])
def test_a_domain_that_the_platform_does_not_allow_is_found(settings, field: str):
    settings.SENDER_DOMAINS = ["example.com"]

    assert "may not be at other.net" in found(sender.domains_are_allowed, **{field: "a@other.net"})


@pytest.mark.parametrize("address", ["a@example.com", "a@mail.EXAMPLE.com"])
def test_allowed_domains_and_what_is_below_them_are_fine(settings, address: str):
    settings.SENDER_DOMAINS = ["example.com"]

    assert found(sender.domains_are_allowed, sender_address=address) == ""


def test_a_personalized_domain_is_not_allowed_where_domains_are_fixed(settings):
    settings.SENDER_DOMAINS = ["example.com"]

    assert found(sender.domains_are_allowed, sender_address="a@{{ recipient.language }}.net") != ""


def test_any_domain_is_allowed_where_the_platform_names_none():
    assert found(sender.domains_are_allowed, sender_address="a@other.net") == ""


def test_a_sender_at_a_mailbox_provider_is_found():
    assert "gmail.com" in found(sender.sender_has_a_domain_of_its_own, sender_address="shop@Gmail.com")
    assert found(sender.sender_has_a_domain_of_its_own) == ""


@pytest.mark.parametrize("address", ["noreply@example.com", "no-reply@example.com", "do-not-reply@example.com"])
def test_answers_that_nobody_reads_are_found(address: str):
    assert "nobody seems to read" in found(sender.answers_are_read, sender_address=address)


def test_a_reply_address_that_is_read_mends_that():
    assert (
        found(sender.answers_are_read, sender_address="noreply@example.com", reply_address="service@example.com") == ""
    )
