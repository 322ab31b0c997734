import smtplib
import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from campaign.demo.sink import Mailbox, Received
from tests.smtp_sink import SinkThread, smtp_sink

__all__ = ["smtp_sink"]


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "a@sender.example", "b@example.org", "Grüße"
    made.set_content("One\r\n.\r\n..two\r\nthree é\r\n")
    return made


def test_it_keeps_what_smtplib_sends(smtp_sink: SinkThread) -> None:
    with smtplib.SMTP("127.0.0.1", smtp_sink.port) as client:
        refused = client.send_message(message(), "a@sender.example", ["b@example.org", "c@example.org"])

    received = smtp_sink.messages[0]
    assert refused == {}
    assert received.recipients == ("b@example.org", "c@example.org")
    parsed = message_from_bytes(received.data, policy=policy.default)
    assert (parsed["Subject"], parsed.get_content()) == ("Grüße", "One\r\n.\r\n..two\r\nthree é\r\n")


def test_it_writes_files_that_a_mime_parser_reads(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)

    mailbox.store(Received("a@sender.example", ("b@example.org",), (), message().as_bytes(policy=policy.SMTP)))

    parsed = message_from_bytes((tmp_path / "000000" / "000000001.eml").read_bytes(), policy=policy.default)
    assert (parsed["Return-Path"], parsed["Delivered-To"]) == ("<a@sender.example>", "b@example.org")
    assert parsed.get_content() == "One\r\n.\r\n..two\r\nthree é\r\n"


def test_it_goes_on_counting_in_a_folder_that_has_messages(tmp_path: Path) -> None:
    received = Received("", ("b@example.org",), (), b"Subject: x\r\n\r\n")
    first = Mailbox(tmp_path)
    for _ in range(1_001):
        first.store(received)

    Mailbox(tmp_path).store(received)

    assert len(list(tmp_path.glob("*/*.eml"))) == 1_002
    assert (tmp_path / "000001" / "000001002.eml").exists()


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaign.demo.sink", "--port", "0", "--folder", str(tmp_path / "mails")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(message(), "a@sender.example", ["b@example.org"])
        process.terminate()

    assert len(list(tmp_path.glob("mails/*/*.eml"))) == 1


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        (["RCPT TO:<a@b.example>"], 503),
        (["DATA"], 503),
        (["MAIL FROM:<>", "DATA"], 554),
        (["MAIL x"], 501),
        (["X"], 502),
    ],
)
def test_it_refuses_commands_out_of_order(smtp_sink: SinkThread, commands: list[str], code: int) -> None:
    with smtplib.SMTP("127.0.0.1", smtp_sink.port) as client:
        codes = [client.docmd(command)[0] for command in commands]

    assert codes[-1] == code


def test_it_takes_a_message_in_chunks(smtp_sink: SinkThread) -> None:
    data = b"Subject: x\r\n\r\n.\r\n..\r\n"
    with smtplib.SMTP("127.0.0.1", smtp_sink.port) as client:
        client.ehlo()
        client.docmd("MAIL FROM:<a@sender.example>")
        client.docmd("RCPT TO:<b@example.org>")
        client.send(b"BDAT 5\r\n" + data[:5])
        more = client.getreply()[0]
        client.send(b"BDAT %d LAST\r\n%b" % (len(data) - 5, data[5:]))
        end = client.getreply()[0]

    assert (more, end) == (250, 250)
    assert [message.data for message in smtp_sink.messages] == [data]


def test_it_reads_over_the_octets_of_a_chunk_that_it_refuses(smtp_sink: SinkThread) -> None:
    with smtplib.SMTP("127.0.0.1", smtp_sink.port) as client:
        client.send(b"BDAT 6 LAST\r\nQUIT\r\n")
        refused = client.getreply()[0]
        alive = client.docmd("NOOP")[0]

    assert (refused, alive) == (503, 250)
