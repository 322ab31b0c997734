"""What a person shall read goes to the investigation address, once, and never in a circle."""

import email
from datetime import timedelta

import pytest

from bounces import forwarding
from bounces.models import BounceMail, Forward, ForwardState
from bounces.process import Outcome, process
from campaign.demo.sink import Fault
from campaign.lib.clock import now
from deliveries.models import Message, Route
from tests.bounces import sent
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db

STRANGE = "550 5.0.0 computer says no"
HUMAN = "From: Ada <ada@example.org>\nTo: {to}\nSubject: Re: News\n\nPlease call me about this offer.\n"


@pytest.fixture
def message(settings, smtp_sink: SinkThread) -> Message:
    """A message that was sent through a server that also takes what is forwarded."""
    settings.ERROR_ADDRESS = "bounces@news.example.com"
    settings.INVESTIGATION_ADDRESS = "platform@example.com"
    made = sent.delivered(investigation_address="look@example.com")
    factories.route(smtp_sink.port)
    return sent.messages(made)[0]


def test_an_unqualified_bounce_goes_to_the_deliverys_investigation_address(message, smtp_sink: SinkThread) -> None:
    raw = sent.bounce(message, STRANGE)
    process(raw, source="Test")

    assert forwarding.send_due(now()) == 1
    assert forwarding.send_due(now() + timedelta(days=1)) == 0

    (received,) = smtp_sink.messages
    mail = email.message_from_bytes(received.data)
    assert (received.sender, received.recipients) == ("", ("look@example.com",))
    assert (mail["Auto-Submitted"], mail["From"]) == ("auto-generated", "bounces@news.example.com")
    parts = mail.get_payload()
    assert isinstance(parts, list)
    assert isinstance(parts[1], email.message.Message)
    inner = parts[1].get_payload()
    assert isinstance(inner, list)
    assert isinstance(inner[0], email.message.Message)
    assert inner[0]["Subject"] == "Undelivered Mail Returned to Sender"
    assert Forward.objects.get().state == ForwardState.SENT


def test_a_qualified_bounce_is_not_forwarded(message) -> None:
    process(sent.bounce(message), source="Test")

    assert not Forward.objects.exists()


def test_what_a_person_wrote_to_the_return_path_is_forwarded(message) -> None:
    process(HUMAN.format(to=sent.return_path(message)).encode(), source="Test")

    assert Forward.objects.get().to == "look@example.com"


@pytest.mark.parametrize("to", ["bounces@news.example.com", "Bounces+other@NEWS.example.com"])
def test_what_a_person_wrote_to_the_error_address_goes_to_the_platforms(message, to: str) -> None:
    done = process(HUMAN.format(to=to).encode(), source="Test")

    assert done.outcome is Outcome.NOT_OURS
    assert not done.may_be_removed
    assert Forward.objects.get().to == "platform@example.com"
    assert BounceMail.objects.get().raw


def test_foreign_mail_is_not_forwarded(message) -> None:
    process(HUMAN.format(to="boss@example.com").encode(), source="Test")

    assert not Forward.objects.exists()


def test_without_an_investigation_address_it_is_kept_in_the_administration_only(settings) -> None:
    settings.INVESTIGATION_ADDRESS = ""
    (message,) = sent.messages(sent.delivered())

    process(sent.bounce(message, STRANGE), source="Test")

    assert not Forward.objects.exists()
    assert BounceMail.objects.get().raw


def test_what_was_forwarded_and_comes_back_is_not_forwarded_again(message, smtp_sink: SinkThread) -> None:
    process(HUMAN.format(to=sent.return_path(message)).encode(), source="Test")
    forwarding.send_due(now())
    returned = smtp_sink.messages[0].data.replace(b"To: look@example.com", f"To: {sent.return_path(message)}".encode())

    process(returned, source="Test")
    process(sent.bounce(message, STRANGE, original=returned), source="Test")

    assert BounceMail.objects.count() == 3
    assert Forward.objects.count() == 1


def test_an_address_gets_so_many_in_an_hour(message, smtp_sink: SinkThread, monkeypatch) -> None:
    monkeypatch.setattr(forwarding, "MAX_PER_HOUR", 2)
    for number in range(5):
        raw = f"X-Number: {number}\n{HUMAN.format(to=sent.return_path(message))}"
        process(raw.encode(), source="Test")
    start = now()

    for minutes in (0, 11, 22, 40):
        forwarding.send_due(start + timedelta(minutes=minutes))
    assert len(smtp_sink.messages) == 2
    for minutes in (61, 130):
        forwarding.send_due(start + timedelta(minutes=minutes))
    assert len(smtp_sink.messages) == 5


def test_a_server_that_refuses_is_asked_again_and_given_up_with_its_words(message, smtp_sink: SinkThread) -> None:
    smtp_sink.misbehave(Fault("RCPT", reply="550 5.1.1 No such person here", recipient="look@"))
    process(sent.bounce(message, STRANGE), source="Test")
    at = now()

    for _ in range(forwarding.MAX_ATTEMPTS + 2):
        forwarding.send_due(at)
        at += timedelta(days=2)

    forward = Forward.objects.get()
    assert (forward.state, forward.attempts) == (ForwardState.FAILED, forwarding.MAX_ATTEMPTS)
    assert forward.sentence == "550 5.1.1 No such person here"


def test_without_a_route_it_waits(message) -> None:
    Route.objects.update(is_active=False)
    process(sent.bounce(message, STRANGE), source="Test")

    assert forwarding.send_due(now()) == 0
    assert Forward.objects.get().state == ForwardState.WAITING
