"""What the platform's spam filter says about a message."""

import json

import pytest

from deliveries.analysis.checks import spam
from deliveries.models import Level
from tests.deliveries import factories
from tests.deliveries.analysis.checks import found_in_messages
from tests.deliveries.outside.web_server import running

pytestmark = pytest.mark.django_db


def test_without_a_filter_nothing_is_said():
    assert found_in_messages(spam.message_is_no_spam) == ""


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ("no action", "lets the message pass: 3.5 of 15.0."),
        ("reject", "takes the message for spam: 3.5 of 15.0. What weighs most: “HTML_ONLY (3.5)”."),
    ],
)
def test_the_filters_verdict_is_told(settings, action: str, sentence: str):
    body = {"score": 3.5, "required_score": 15, "action": action, "symbols": {"HTML_ONLY": {"score": 3.5}}}
    with running() as server:
        server.add("/checkv2", body=json.dumps(body).encode())
        settings.SPAM_FILTER = server.base

        assert sentence in found_in_messages(spam.message_is_no_spam)

        # The analysis itself asked as well, with a whole mail.
        assert all(b"Subject: News for name1" in asked for asked in server.bodies)


def test_a_filter_that_cannot_be_reached_is_an_information_and_holds_nothing_up(settings):
    settings.SPAM_FILTER = "http://127.0.0.1:9"

    made = factories.analysed(factories.delivery(factories.people(1)))

    line = made.journal.get(check_key="message_is_no_spam")
    assert line.level == Level.INFO
    assert "cannot be reached" in line.sentence
