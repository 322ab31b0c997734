"""What the home page says about bounces."""

import pytest
from django.test import Client

from bounces.models import BounceMail, BounceMailbox, MailState
from campaign.lib.clock import now
from tests.people import at_marketer, at_outsider, marketer, outsider

__all__ = ["at_marketer", "at_outsider", "marketer", "outsider"]


@pytest.fixture
def trouble(db: None) -> BounceMailbox:
    for name, values in (("Well", {}), ("Off", {"is_active": False, "last_error": "Nobody is told of it."})):
        BounceMailbox.objects.create(name=name, host="h", username="u", **values)
    BounceMail.objects.create(digest="1", source="Test", received_at=now(), state=MailState.SET_ASIDE)
    return BounceMailbox.objects.create(name="Ill", host="h", username="u", last_error="The IMAP server said <no>.")


def test_it_names_mailboxes_that_cannot_be_read_and_counts_what_was_set_aside(
    at_marketer: Client, trouble: BounceMailbox
) -> None:
    page = at_marketer.get("/admin/").content.decode()

    assert "The mailbox “Ill” is not read as it should be. The IMAP server said &lt;no&gt;." in page
    assert f"/admin/bounces/bouncemailbox/{trouble.pk}/change/" in page
    assert "could not be processed: 1. They were set aside." in page
    assert "Nobody is told of it." not in page


def test_it_says_nothing_to_whom_it_does_not_concern(at_outsider: Client, trouble: BounceMailbox) -> None:
    page = at_outsider.get("/admin/").content.decode()

    assert "Ill" not in page
    assert "set aside" not in page
