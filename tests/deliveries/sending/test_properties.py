"""What the properties of a delivery do to its messages, seen from the SMTP server that takes them."""

from datetime import timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from types import SimpleNamespace

import pytest
from django.conf import LazySettings

from deliveries.actions.create import create
from deliveries.identifiers import find_returned
from deliveries.models import Delivery, DeliveryTemplate, MailFormats, Message
from deliveries.sending.worker import Worker
from deliveries.states import MessageState
from recipients.models import MailFormat, Recipient
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def default_route(smtp_sink: SinkThread) -> None:
    factories.route(smtp_sink.port)


def send(worker: Worker, people: int = 1, **values: object) -> Delivery:
    return factories.send(worker, factories.confirmed(factories.delivery(factories.people(people), **values)))


def mails(sink: SinkThread) -> dict[str, EmailMessage]:
    """What arrived, by recipient."""
    parser = BytesParser(policy=policy.default)
    return {message.recipients[0]: parser.parsebytes(message.data) for message in sink.messages}


def kinds(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.walk() if not part.is_multipart()]


def test_bounces_return_to_the_platforms_error_address_which_names_the_message(
    worker: Worker, smtp_sink: SinkThread, settings: LazySettings
) -> None:
    settings.ERROR_ADDRESS = "bounces@news.example"

    send(worker, people=3)

    by_recipient = {message.recipients[0]: message.sender for message in smtp_sink.messages}
    assert len(set(by_recipient.values())) == 3
    for recipient, sender in by_recipient.items():
        assert sender.startswith("bounces+")
        assert sender.endswith("@news.example")
        assert len(sender.partition("@")[0]) <= 64
        assert find_returned(sender.upper()).address == recipient


@pytest.mark.parametrize(
    ("form", "beginning", "end"),
    [
        ("sub-address", "name1-errors+", "@brand.example"),
        ("domain", "", "@brand.example"),
        ("plain", "name1-errors@", ""),
    ],
)
def test_bounces_return_to_the_deliverys_own_personalized_address_in_the_platforms_form(
    worker: Worker, smtp_sink: SinkThread, settings: LazySettings, form: str, beginning: str, end: str
) -> None:
    settings.RETURN_PATH = form

    send(worker, default_error_address=False, error_address="{{ recipient.first_name }}-errors@brand.example")

    [arrived] = smtp_sink.messages
    assert arrived.sender.startswith(beginning)
    assert arrived.sender.endswith(end)
    # Only mail to unsubscribe goes there as well; nothing else in the mail names the address.
    unfolded = arrived.data.replace(b"\r\n ", b" ")
    assert {line.partition(b":")[0] for line in unfolded.splitlines() if b"name1-errors" in line} <= {
        b"List-Unsubscribe"
    }
    if form != "plain":
        assert find_returned(arrived.sender).address == "person1@example.org"


@pytest.mark.parametrize(
    "name", ["x@evil.example> SIZE=1", "a\r\nRCPT TO:<b@evil.example>", "a@evil.example,b", "a b", "x" * 80, "a>b"]
)
def test_nobodys_name_adds_an_address_or_a_command_to_the_envelope(
    worker: Worker, smtp_sink: SinkThread, name: str
) -> None:
    target = factories.people(2)
    Recipient.objects.filter(address="person1@example.org").update(last_name=name)
    own = "{{ recipient.last_name or 'own' }}@brand.example"

    made = factories.delivery(target, default_error_address=False, error_address=own)
    made = factories.send(worker, factories.confirmed(made))

    assert factories.states(made) == [MessageState.FAILED, MessageState.SENT]
    assert [message.recipients for message in smtp_sink.messages] == [("person2@example.org",)]
    assert not any("evil" in event for event in smtp_sink.events)
    assert "error address" in str(Message.objects.get(state=MessageState.FAILED).reply).lower()


def test_additional_headers_arrive_encoded_and_folded_and_follow_their_conditions(
    worker: Worker, smtp_sink: SinkThread
) -> None:
    words = " ".join(f"word{number}" for number in range(40))
    script = (
        f"Precedence: bulk\nX-Words: {words}\nX-Name: Grüße, {{{{ recipient.first_name }}}}\n"
        "{% if recipient.first_name == 'name1' %}\nX-Who: first\n{% else %}\nX-Who: other\n{% endif %}"
    )

    send(worker, people=2, smtp_headers=script)

    arrived = mails(smtp_sink)
    assert [mail["X-Who"] for _, mail in sorted(arrived.items())] == ["first", "other"]
    assert arrived["person2@example.org"]["X-Name"] == "Grüße, name2"
    assert arrived["person1@example.org"]["X-Words"] == words
    for message in smtp_sink.messages:
        head = message.data.partition(b"\r\n\r\n")[0]
        assert head.isascii()
        assert max(map(len, head[head.index(b"Precedence") : head.index(b"MIME-Version")].split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "value", ["Anna\r\nBcc: all@example.com", "Anna\nX: y", "Anna\r\n\r\nBody", "Anna\x00", "\u2028x"]
)
def test_a_value_that_brings_a_line_break_into_a_header_fails_its_message_and_the_delivery_goes_on(
    worker: Worker, smtp_sink: SinkThread, value: str
) -> None:
    target = factories.people(3)
    made = factories.delivery(target, smtp_headers="X-Name: {{ recipient.first_name }}", subject="News")
    value = value.replace("\x00", "\x01")  # PostgreSQL takes no null character
    Recipient.objects.filter(address="person2@example.org").update(first_name=value)

    made = factories.send(worker, factories.confirmed(made))

    assert factories.states(made) == [MessageState.SENT, MessageState.FAILED, MessageState.SENT]
    failed = Message.objects.get(state=MessageState.FAILED)
    assert "In the additional SMTP headers, line 1" in str(failed.reply)
    assert all(mail["Bcc"] is None and mail["X"] is None for mail in mails(smtp_sink).values())


def test_each_gets_the_format_that_they_prefer_or_the_one_the_delivery_says(
    worker: Worker, smtp_sink: SinkThread
) -> None:
    target = factories.people(2)
    Recipient.objects.filter(address="person2@example.org").update(mail_format=MailFormat.TEXT)

    found = {}
    for wanted in MailFormats:
        smtp_sink.messages.clear()
        factories.send(worker, factories.confirmed(factories.delivery(target, mail_formats=wanted)))
        found[wanted] = [kinds(mail) for _, mail in sorted(mails(smtp_sink).items())]

    both, text = ["text/plain", "text/html"], ["text/plain"]
    assert found == {
        MailFormats.RECIPIENT: [both, text],
        MailFormats.BOTH: [both, both],
        MailFormats.TEXT: [text, text],
    }


def test_a_message_that_takes_too_long_to_be_made_fails_and_the_others_leave(
    worker: Worker, smtp_sink: SinkThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "{% for a in '0123456789' %}{% for b in '0123456789' %}{{ a }}{{ b }}{% endfor %}{% endfor %}"
    html = "<p>{% if recipient.first_name == 'name2' %}" + long * 10 + "{% endif %}</p>"
    hundredths = iter(range(1_000_000))
    monkeypatch.setattr("deliveries.rows.time", SimpleNamespace(monotonic=lambda: next(hundredths) / 100))

    made = send(worker, people=3, html=html, personalization_time=timedelta(seconds=5))

    assert factories.states(made) == [MessageState.SENT, MessageState.FAILED, MessageState.SENT]
    assert "Personalizing this message takes too long." in str(Message.objects.get(state=MessageState.FAILED).reply)


def test_sender_reply_content_and_properties_come_from_the_template(worker: Worker, smtp_sink: SinkThread) -> None:
    template = DeliveryTemplate.objects.create(
        label="Brand", subject="Inherited", html=factories.HTML, smtp_headers="X-Brand: yes",
        sender_name="Brand", sender_address="shop@brand.example",
        reply_name="Service", reply_address="help@brand.example",
        default_error_address=False, error_address="errors@brand.example",
    )  # fmt: skip
    made = create(template, label="News")
    made.target_lists.add(factories.people(1))

    factories.send(worker, factories.confirmed(made))

    [arrived] = smtp_sink.messages
    mail = mails(smtp_sink)["person1@example.org"]
    assert (mail["From"], mail["Reply-To"]) == ("Brand <shop@brand.example>", "Service <help@brand.example>")
    assert (mail["Subject"], mail["X-Brand"]) == ("Inherited", "yes")
    assert arrived.sender.startswith("errors+")
    assert arrived.sender.endswith("@brand.example")
