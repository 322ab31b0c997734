"""A delivery leaves, servers return some of it, and exactly the right addresses land in quarantine."""

import time

import pytest

from bounces.process import Outcome, process
from campaign.demo.sink import Fault, Received
from deliveries.models import Delivery, Message, Part
from deliveries.states import DeliveryState, MessageState
from recipients.models import Quarantine, QuarantineStatus
from tests.bounces.postfix import postfix
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db


def report(received: Received, fields: str) -> bytes:
    """What a server writes that took a message and found out later; it quotes the header only."""
    (recipient,) = received.recipients
    head = received.data.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return (
        (
            f"From: MAILER-DAEMON@mx.example.org\nTo: <{received.sender}>\nSubject: Undelivered (Failure)\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="=r"\nMIME-Version: 1.0\n\n'
            "--=r\nContent-Type: text/plain\n\nYour message was not delivered.\n\n"
            f"--=r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
            f"Final-Recipient: rfc822; {recipient}\n{fields}\n\n--=r\nContent-Type: text/rfc822-headers\n\n"
        ).encode()
        + head
        + b"\n\n--=r--\n"
    )


def statuses() -> dict[str, str]:
    return dict(Quarantine.objects.values_list("address_key", "status"))


def test_a_scripted_server_returns_some_messages_of_a_delivery(worker, smtp_sink: SinkThread) -> None:
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="550 5.1.1 No such person here", recipient="person1@"))
    made = factories.send(worker, factories.confirmed(factories.delivery(factories.people(6))))
    answers = {
        "person2@example.org": "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown",
        "person3@example.org": "Action: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 Mailbox full",
        "person4@example.org": "Action: delayed\nStatus: 4.4.1\nDiagnostic-Code: smtp; 451 4.4.1 No answer",
    }

    for received in [each for each in smtp_sink.messages if each.recipients[0] in answers]:
        done = process(report(received, answers[received.recipients[0]]), source="Test", envelope_to=received.sender)
        assert done.outcome is Outcome.OURS

    assert statuses() == {
        "person1@example.org": QuarantineStatus.QUARANTINE,
        "person2@example.org": QuarantineStatus.QUARANTINE,
        "person3@example.org": QuarantineStatus.WITH_ERRORS,
    }
    failed, sent = MessageState.FAILED, MessageState.SENT
    assert factories.states(made) == [failed, failed, failed, sent, sent, sent]
    part = Part.objects.get(delivery=made)
    assert (part.sent, part.failed) == (3, 3)
    _next_delivery_leaves_out(made, {"person1@example.org", "person2@example.org"})


def _next_delivery_leaves_out(former: Delivery, addresses: set[str]) -> None:
    later = factories.delivery(label="Later")
    later.target_lists.add(*former.target_lists.all())
    factories.analysed(later)
    everybody = set(Message.objects.of_delivery(former.pk).values_list("address", flat=True))
    assert everybody - set(Message.objects.of_delivery(later.pk).values_list("address", flat=True)) == addresses


def test_a_real_postfix_bounces_a_deliverys_messages(worker, smtp_sink: SinkThread, settings) -> None:
    settings.ERROR_ADDRESS = "bounces@news.example.com"
    smtp_sink.misbehave(
        Fault("RCPT", reply="550 5.1.1 No such person here", recipient="person2@"),
        Fault("END", reply="552 5.2.2 Mailbox full", recipient="person3@"),
    )
    with postfix(smtp_sink.port) as port:
        factories.route(port)
        made = factories.send(worker, factories.confirmed(factories.delivery(factories.people(4))))
        assert made.current_state is DeliveryState.FINISHED
        assert set(factories.states(made)) == {MessageState.SENT}  # Postfix took them all
        returned = _returned(smtp_sink, count=2)

    for received in returned:
        assert process(received.data, source="Postfix", envelope_to=received.recipients[0]).outcome is Outcome.OURS

    full = Message.objects.of_delivery(made.pk).filter(state=MessageState.FAILED, failure_type="soft").get()
    assert full.address == "person3@example.org"
    assert statuses() == {
        "person2@example.org": QuarantineStatus.QUARANTINE,
        "person3@example.org": QuarantineStatus.WITH_ERRORS,
    }
    assert Quarantine.objects.get(address_key="person2@example.org").text.endswith("5.1.1 No such person here")


def _returned(sink: SinkThread, count: int) -> list[Received]:
    """The bounces that Postfix sends back through the same server."""
    deadline = time.monotonic() + 60
    found: list[Received] = []
    while time.monotonic() < deadline:
        found = [each for each in sink.messages if each.sender == ""]
        if len(found) >= count and len(sink.messages) >= 2 + count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"Postfix returned {len(found)} of {count} messages in a minute.")
