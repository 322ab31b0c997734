"""Providers' webhooks: real requests with real signatures."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from bounces import process
from bounces.models import BounceMail
from bounces.sources.webhooks import PROVIDERS
from deliveries.models import Message
from recipients.models import Denylist, Quarantine, QuarantineStatus
from tests.bounces import sent
from tests.bounces.sources.providers import (
    CALLERS,
    CREDENTIALS,
    Amazon,
    AmazonSES,
    Caller,
    Mailgun,
    Postmark,
    SendGrid,
    SparkPost,
)
from tests.bounces.sources.ways import called

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("configured")]


NOT_AMAZONS = (
    "http://sns.eu-west-1.amazonaws.com/a.pem",
    "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
    "https://evil.example/sns.eu-west-1.amazonaws.com",
    "https://a@sns.eu-west-1.amazonaws.com/a.pem",
    "file:///etc/passwd",
)


@pytest.fixture(params=CALLERS, ids=lambda made: made.name)
def caller(request: pytest.FixtureRequest) -> Caller:
    made: type[Caller] = request.param
    return made()


@pytest.fixture
def message() -> Message:
    return sent.messages(sent.delivered())[0]


def test_every_provider_is_tested() -> None:
    assert {made.name for made in CALLERS} == set(PROVIDERS)


def test_a_bounce_is_judged_by_the_servers_words(caller: Caller, message: Message) -> None:
    assert called(caller.bounce(message, sent.FULL)) == 200

    record = Quarantine.objects.get()
    assert (record.reason, record.status, record.errors) == ("Mailbox full", QuarantineStatus.WITH_ERRORS, 1)


def test_a_complaint_puts_the_address_on_the_denylist(caller: Caller, message: Message) -> None:
    assert called(caller.complaint(message)) == 200

    assert Denylist.objects.filter(recipient__address=message.address).exists()


def test_an_open_is_no_bounce(caller: Caller, message: Message) -> None:
    assert called(caller.opened(message)) == 200

    assert not BounceMail.objects.exists()


def test_a_request_that_is_sent_again_counts_once(caller: Caller, message: Message) -> None:
    call = caller.bounce(message, sent.FULL)

    assert [called(call), called(call), called(call)] == [200, 200, 200]

    assert Quarantine.objects.get().errors == 1
    assert BounceMail.objects.count() == 1


def test_without_credentials_nothing_happens(caller: Caller, message: Message, amazon: Amazon) -> None:
    call = caller.bounce(message)
    headers = {name: value for name, value in call.headers.items() if name != "Authorization"}

    wrong = {**headers, "Authorization": "Basic d3Jvbmc6Y3JlZGVudGlhbHM="}

    assert called(replace(call, headers=headers)) in (400, 401)
    assert called(replace(call, headers=wrong)) == 400
    assert not BounceMail.objects.exists()
    assert amazon.asked == []


@pytest.mark.parametrize("forged", ["amazon-ses", "sendgrid"])
def test_a_body_that_was_changed_is_refused(message: Message, forged: str) -> None:
    caller = next(made() for made in CALLERS if made.name == forged)
    call = caller.bounce(message)

    assert called(replace(call, body=call.body.replace(b"User unknown", b"User renowned"))) == 400
    assert not BounceMail.objects.exists()


def test_a_signature_of_mailgun_is_good_for_one_event(message: Message) -> None:
    call = Mailgun().bounce(message, sent.FULL)
    called(call)

    again = json.loads(call.body)
    again["event-data"]["delivery-status"] = {"message": "550 5.1.1 User unknown", "code": 550}
    assert called(replace(call, body=json.dumps(again).encode())) == 200
    again["signature"]["token"] = "another"
    assert called(replace(call, body=json.dumps(again).encode())) == 400

    assert Quarantine.objects.get().reason == "Mailbox full"


def test_a_provider_that_nobody_set_up_has_no_address(caller: Caller, message: Message, settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": [], "MAILGUN_WEBHOOK_SIGNING_KEY": ""}

    assert called(caller.bounce(message)) == 404
    assert Client().post("/hooks/nobody/").status_code == 404


def test_while_the_database_is_away_the_provider_is_asked_to_come_back(
    caller: Caller, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("away")

    monkeypatch.setattr(process, "_together", away)

    assert called(caller.bounce(message)) == 503


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[[]]", b'{"event": 7}', b"\xff", b"[" * 20_000, b'"x"'])
def test_what_cannot_be_read_is_answered_and_breaks_nothing(caller: Caller, body: bytes) -> None:
    """Of Amazon, Mailgun and SendGrid it does not pass the signature."""
    assert called(replace(caller.opened_by_nobody(), body=body)) in (200, 400)
    assert not BounceMail.objects.exists()


def test_a_request_beyond_all_measure_is_refused(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bounces.sources.webhooks.views.MAX_OCTETS", 100)

    assert called(replace(caller.opened_by_nobody(), body=b"x" * 200)) == 413


def test_a_provider_may_ask_whether_the_address_is_there(caller: Caller) -> None:
    assert Client().head(f"/hooks/{caller.name}/").status_code == 200
    assert Client().get(f"/hooks/{caller.name}/").status_code == 405


def test_the_providers_opinion_counts_where_no_word_says_anything(message: Message) -> None:
    call = Postmark().bounce(message, "554 5.0.0 Frobnicated")

    called(call)

    assert Quarantine.objects.get().status == QuarantineStatus.QUARANTINE
    assert Quarantine.objects.get().rule == "provider: hard bounce"


def test_many_events_of_one_request_are_all_processed() -> None:
    messages = sent.messages(sent.delivered(3))
    events = [event for each in messages for event in SparkPost().bounced(each, each.address, sent.GONE)]

    assert called(SparkPost().call(events)) == 200

    assert Quarantine.objects.count() == 3


@pytest.mark.parametrize("made", [SendGrid, SparkPost])
def test_an_event_that_cannot_be_read_does_not_stop_the_others(message: Message, made: type[Caller]) -> None:
    caller = made()
    good = caller.bounced(message, message.address, sent.GONE)
    events = [{"event": []}, {"msys": {"message_event": {}}}, 7, *(good if isinstance(good, list) else [good])]

    assert called(caller.batch(events)) == 200

    assert Quarantine.objects.count() == 1


def test_amazon_is_asked_for_its_certificate_once_and_nobody_else_ever(message: Message, amazon: Amazon) -> None:
    call = AmazonSES().bounce(message)
    for _ in range(2):
        called(call)
    envelope = json.loads(call.body)
    for url in NOT_AMAZONS:
        envelope["SigningCertURL"] = url
        assert called(replace(call, body=json.dumps(envelope).encode())) == 400

    assert amazon.asked == ["https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"]


@pytest.mark.parametrize(
    ("url", "status", "asked"),
    [
        ("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t", 200, True),
        ("http://169.254.169.254/latest/meta-data", 400, False),
    ],
)
def test_a_subscription_is_confirmed_at_amazons_only(amazon: Amazon, url: str, status: int, asked: bool) -> None:
    envelope = {
        "Type": "SubscriptionConfirmation", "MessageId": "m", "Token": "t", "TopicArn": "arn:aws:sns:eu-west-1:1:b",
        "Message": "You have chosen to subscribe", "SubscribeURL": url, "Timestamp": "2026-11-27T12:00:00.000Z",
    }  # fmt: skip

    assert called(AmazonSES().signed(envelope)) == status
    assert (url in amazon.asked) is asked


def test_amazon_is_challenged_for_credentials() -> None:
    """SNS sends them only after a 401."""
    response = Client().post("/hooks/amazon-ses/", b"{}", content_type="text/plain")

    assert (response.status_code, response["WWW-Authenticate"][:5]) == (401, "Basic")
    assert CREDENTIALS not in str(response.headers)
