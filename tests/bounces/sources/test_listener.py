"""The server for the return path's domain, talked to over real SMTP and LMTP."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any, Self

import pytest
from django.db import OperationalError, connections

from bounces.models import BounceMail, Forward
from bounces.parsing import MAX_OCTETS
from bounces.sources import listener as module
from bounces.sources.listener import MAX_REFUSALS, Listener
from campaign.lib.signing import UNSUBSCRIBE_BY_MAIL, return_token
from deliveries.models import Message
from recipients.models import Denylist, Quarantine
from tests.bounces import sent
from tests.bounces.sources.ways import FEEDBACK_ADDRESS, FOREIGN, serving
from tests.deliveries.factories import builtin_blocks
from tests.deliveries.sending.certificates import Authority

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def message() -> Message:
    builtin_blocks()
    return sent.messages(sent.delivered())[0]


@pytest.fixture
def port() -> Iterator[int]:
    with serving(Listener("mx.example.com", [FEEDBACK_ADDRESS])) as port:
        yield port


def client(port: int) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", port, local_hostname="mta.example.org", timeout=60)


class Raw:
    """A client that says exactly what it is told to."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.lines = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.lines.close()
        self.socket.close()

    def reply(self) -> str:
        """The code of the next reply; empty at the end."""
        while line := self.lines.readline():
            if line[3:4] != b"-":
                return line[:3].decode()
        return ""

    def say(self, *commands: bytes) -> list[str]:
        """The code of the answer to each command."""
        codes = []
        for command in commands:
            self.socket.sendall(command + b"\r\n")
            codes.append(self.reply())
        return codes


def test_it_says_250_after_the_mail_is_committed(port: int, message: Message) -> None:
    with client(port) as session:
        session.sendmail("", [sent.return_path(message)], sent.bounce(message))

        assert BounceMail.objects.get().envelope_to == sent.return_path(message)
        assert Quarantine.objects.get().address_key == message.address


def test_the_envelope_alone_leads_to_the_message(port: int, message: Message) -> None:
    with client(port) as session:
        session.sendmail("", [sent.return_path(message).upper()], b"Subject: failure\n\n" + sent.GONE.encode() + b"\n")

    assert BounceMail.objects.get().message_ids == [message.pk]


def test_it_takes_unsubscriptions_by_mail(port: int, message: Message) -> None:
    own = return_token(message.pk, bytes(message.content.key), UNSUBSCRIBE_BY_MAIL)

    with client(port) as session:
        session.sendmail("ada@example.net", [f"bounces+{own}@example.com"], b"Subject: unsubscribe\n\n")

    assert Denylist.objects.get().recipient_id == message.recipient_id


@pytest.mark.parametrize(
    "address", ["somebody@example.com", "news@elsewhere.example", "bounces+{token}@example.com", "postmaster", "ü@x.y"]
)
def test_it_relays_nothing_and_takes_no_address_that_was_not_signed(port: int, message: Message, address: str) -> None:
    token = sent.return_path(message).partition("+")[2].partition("@")[0]
    forged = token[:-1] + ("a" if token[-1] != "a" else "b")

    with Raw(port) as raw:
        raw.reply()
        said = f"RCPT TO:<{address.format(token=forged)}>".encode()
        codes = raw.say(b"EHLO mta.example.org", b"MAIL FROM:<>", said)

    assert codes == ["250", "250", "550"]


def test_it_hangs_up_on_whoever_guesses_addresses(port: int) -> None:
    with Raw(port) as raw:
        raw.reply()
        codes = raw.say(b"EHLO x", b"MAIL FROM:<>", *[b"RCPT TO:<a@example.com>"] * MAX_REFUSALS)

    assert codes[2:] == ["550"] * (MAX_REFUSALS - 1) + ["421"]


def test_a_mail_that_is_not_ours_is_refused(port: int, message: Message) -> None:
    with client(port) as session, pytest.raises(smtplib.SMTPDataError) as refused:
        session.sendmail("", [FEEDBACK_ADDRESS], FOREIGN)

    assert refused.value.smtp_code == 550


def test_a_mail_of_a_person_to_the_error_address_is_taken_when_somebody_reads_it(message: Message, settings) -> None:
    settings.ERROR_ADDRESS, settings.INVESTIGATION_ADDRESS = "bounces@example.com", "people@example.com"
    listener = Listener("mx.example.com", [settings.ERROR_ADDRESS])

    with serving(listener) as port, client(port) as session:
        for _ in range(2):  # the second time it came before
            assert session.sendmail("ada@example.net", [settings.ERROR_ADDRESS], FOREIGN) == {}

    assert Forward.objects.get().to == "people@example.com"


def test_many_connections_at_once_are_all_answered(port: int) -> None:
    builtin_blocks()
    messages = sent.messages(sent.delivered(24))
    answered: list[int] = []

    def bring(mine: list[Message]) -> None:
        with client(port) as session:
            for each in mine:
                session.sendmail("", [sent.return_path(each)], sent.bounce(each))
                answered.append(each.pk)
        connections.close_all()

    threads = [threading.Thread(target=bring, args=[messages[number::8]]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(answered) == [each.pk for each in messages]
    assert Quarantine.objects.count() == 24


def test_a_feedback_report_comes_to_an_address_of_its_own(port: int, message: Message) -> None:
    with client(port) as session:
        session.sendmail("loop@provider.example", [FEEDBACK_ADDRESS.upper()], sent.complaint(message))

    assert BounceMail.objects.get().message_ids == [message.pk]


def test_while_the_database_is_away_it_says_451(port: int, message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("away")

    to = b"RCPT TO:<" + sent.return_path(message).encode() + b">"
    with Raw(port) as raw:
        raw.reply()
        raw.say(b"EHLO x", b"MAIL FROM:<>")
        with monkeypatch.context() as patched:
            patched.setattr(module, "keyed", away)
            at_rcpt = raw.say(to)
        monkeypatch.setattr(module, "process_all", away)
        assert [*at_rcpt, *raw.say(to, b"DATA", b"Subject: x\r\n\r\n.")] == ["451", "250", "354", "451"]
        # The connection lives on, and the mail may come again.
        monkeypatch.undo()
        assert raw.say(b"MAIL FROM:<>", to, b"DATA", b"Subject: x\r\n\r\n.") == ["250", "250", "354", "250"]


def test_an_error_of_ours_is_no_reason_to_refuse_for_good_and_tells_nothing(
    port: int, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(module, "process_all", broken)

    with client(port) as session, pytest.raises(smtplib.SMTPDataError) as refused:
        session.sendmail("", [sent.return_path(message)], b"x")

    assert refused.value.smtp_code == 451
    assert b"secret" not in refused.value.smtp_error


@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\0.\r\n"])
def test_nothing_but_crlf_dot_crlf_ends_a_mail(port: int, message: Message, end: bytes) -> None:
    hidden = b"MAIL FROM:<>\r\nRCPT TO:<" + FEEDBACK_ADDRESS.encode() + b">\r\nDATA\r\nSubject: smuggled\r\n\r\nx"

    with Raw(port) as raw:
        raw.reply()
        to = b"RCPT TO:<" + sent.return_path(message).encode() + b">"
        raw.say(b"EHLO x", b"MAIL FROM:<>", to, b"DATA")
        codes = raw.say(b"Subject: one\r\n\r\nHello" + end + hidden + b"\r\n.", b"QUIT")

    assert codes == ["250", "221"]
    assert BounceMail.objects.count() == 1


def test_dots_before_dots_are_taken_away_and_lines_may_have_any_length(port: int, message: Message) -> None:
    body = b".one\r\n..two\r\n" + b"x" * 300_000 + b"\r\n" + b"." * 200_000 + b"\r\nend\r\n"

    with client(port) as session:
        session.sendmail("", [sent.return_path(message)], b"Subject: x\r\n\r\n" + body)

    assert bytes(BounceMail.objects.get().raw) == b"Subject: x\r\n\r\n" + body


def test_commands_may_follow_a_mail_at_once(port: int, message: Message) -> None:
    to = sent.return_path(message).encode()
    one = b"MAIL FROM:<>\r\nRCPT TO:<" + to + b">\r\nDATA\r\n"

    with Raw(port) as raw:
        raw.reply()
        raw.say(b"EHLO x")
        raw.socket.sendall(one + b"Subject: one\r\n\r\n.\r\n" + one + b"Subject: two\r\n\r\n.\r\nQUIT\r\n")
        codes = [raw.reply() for _ in range(9)]

    assert codes == ["250", "250", "354", "250", "250", "250", "354", "250", "221"]
    assert BounceMail.objects.count() == 2


def test_of_a_large_mail_the_beginning_is_kept_and_of_one_too_large_nothing(
    port: int, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = sent.return_path(message)
    with client(port) as session:
        session.sendmail("", [to], b"Subject: x\r\n\r\n" + b"x" * 78 * 1024 + b"\r\n" * 600_000)

        monkeypatch.setattr(module, "MAX_MAIL_OCTETS", 100_000)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            session.sendmail("", [to], b"x\r\n" * 50_000)
        assert refused.value.smtp_code == 552
        session.sendmail("", [to], b"Subject: small\r\n\r\n")

    assert sorted(BounceMail.objects.values_list("octets", flat=True)) == [18, MAX_OCTETS]


def test_one_mail_has_one_recipient(port: int, message: Message) -> None:
    to = b"RCPT TO:<" + sent.return_path(message).encode() + b">"
    with Raw(port) as raw:
        raw.reply()
        assert raw.say(b"EHLO x", b"MAIL FROM:<>", to, to, b"DATA", b"Subject: x\r\n\r\n.")[2:] == [
            "250", "452", "354", "250",
        ]  # fmt: skip


def test_commands_out_of_order_and_out_of_this_world_are_answered(port: int) -> None:
    with Raw(port) as raw:
        raw.reply()
        assert raw.say(b"DATA", b"RCPT TO:<a@b>", b"EHLO x") == ["503", "503", "250"]
        assert raw.say(b"DATA", b"RCPT TO:<a@b>", b"AUTH PLAIN AAA=") == ["503", "503", "502"]
        assert raw.say(b"VRFY a", b"\xff\xfe") == ["252", "500"]
        assert raw.say(b"X" * 70_000, b"NOOP") == ["500", "250"]


def test_too_many_connections_are_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS_OF_ONE", 2)
    with serving(Listener("mx.example.com")) as port, Raw(port) as one, Raw(port) as two:
        assert (one.reply(), two.reply()) == ("220", "220")
        with Raw(port) as three:
            assert (three.reply(), three.reply()) == ("421", "")
        one.say(b"QUIT")
        two.say(b"NOOP")
        with Raw(port) as four:
            assert four.reply() == "220"


def test_who_says_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.2)
    with serving(Listener("mx.example.com")) as port, Raw(port) as silent:
        assert (silent.reply(), silent.reply()) == ("220", "")


def test_it_offers_starttls_with_its_certificate(authority: Authority, message: Message) -> None:
    listener = Listener("mx.example.com", certificate=authority.right_pem)
    with serving(listener) as port, client(port) as session:
        session.starttls(context=ssl.create_default_context(cafile=authority.file))
        session.sendmail("", [sent.return_path(message)], sent.bounce(message))
        assert "auth" not in session.esmtp_features

    assert Quarantine.objects.count() == 1


def test_lmtp_is_greeted_with_lhlo_only() -> None:
    with serving(Listener("mx.example.com"), lmtp=True) as port, Raw(port) as raw:
        raw.reply()
        assert raw.say(b"EHLO x", b"HELO x", b"LHLO x") == ["500", "500", "250"]


def test_at_its_end_it_finishes_the_mail_under_way_and_says_421_to_the_others(message: Message) -> None:
    listener = Listener("mx.example.com")
    to = b"RCPT TO:<" + sent.return_path(message).encode() + b">"
    with serving(listener) as port, Raw(port) as busy, Raw(port) as idle:
        for each in (busy, idle):
            each.reply()
            each.say(b"EHLO x")
        busy.say(b"MAIL FROM:<>", to, b"DATA")
        listener.is_ending = True

        assert idle.say(b"MAIL FROM:<>") == ["421"]
        assert busy.say(b"Subject: x\r\n\r\n.") == ["250"]
        assert busy.say(b"MAIL FROM:<>") == ["421"]

    assert BounceMail.objects.count() == 1
