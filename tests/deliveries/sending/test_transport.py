"""One connection over a real loopback socket, against the project's sink and against aiosmtpd as a second opinion."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP, Envelope, Session

from campaign.demo.sink import EXTENSIONS, Fault, Script
from deliveries.mail import Mail
from deliveries.sending.handshake import RouteAddress
from deliveries.sending.session import ConnectionLost
from deliveries.sending.smtp.replies import Stage
from deliveries.sending.smtp.steps import Leaving
from deliveries.sending.transport import Connection
from tests.deliveries.sending.servers import ScriptedServer, free_port, once_proven, wait_for
from tests.smtp_sink import SAMPLE, WITHOUT_CHUNKING, WITHOUT_PIPELINING, SinkThread, mails


def test_it_hands_over_every_mail_unchanged(sink: SinkThread) -> None:
    sent = mails(20)

    with Connection(sink.route()) as connection:
        outcomes = list(connection.send(sent))

    assert [mail for mail, _ in outcomes] == sent
    assert all(reply.accepted for _, reply in outcomes)
    assert [(m.sender, m.recipients, m.data) for m in sink.messages] == [
        (mail.sender, (mail.recipient,), mail.data) for mail in sent
    ]
    assert sink.events[-1] == "QUIT"


def test_it_uses_one_connection_for_many_batches(sink: SinkThread) -> None:
    with Connection(sink.route()) as connection:
        for _ in range(3):
            list(connection.send(mails(2)))
        list(connection.send([]))

    assert (len(sink.messages), sink.sink.connections) == (6, 1)


def test_it_uses_the_extensions_the_server_offers(sink: SinkThread) -> None:
    data = "Subject: é\r\n\r\né\r\n".encode()
    mail = replace(SAMPLE, recipient="zoë@example.org", pieces=(data,), eight_bit=True, smtputf8=True)

    with Connection(sink.route()) as connection:
        list(connection.send([mail]))

    received = sink.messages[0]
    assert received.parameters == (f"SIZE={len(data)}", "BODY=8BITMIME", "SMTPUTF8")
    assert (received.recipients, received.data) == (("zoë@example.org",), data)


def test_it_asks_for_reports_of_failure_where_they_are_offered() -> None:
    said = {"EHLO": "250-scripted\r\n250-PIPELINING\r\n250 DSN", "MAIL": "250 a", "RCPT": "550 No", "DATA": "503 No"}
    said["RSET"] = "250 b"

    with ScriptedServer(said) as server, Connection(server.route) as connection:
        list(connection.send([replace(SAMPLE, envelope_id="id+1")]))

    assert b"MAIL FROM:<errors@sender.example> RET=HDRS ENVID=id+2B1\r\n" in server.heard
    assert b"RCPT TO:<person@example.org> NOTIFY=FAILURE ORCPT=rfc822;person@example.org\r\n" in server.heard


@pytest.mark.parametrize(
    ("extensions", "mail", "code"),
    [
        ((), replace(SAMPLE, smtputf8=True), 553),
        ((), replace(SAMPLE, recipient="zoë@example.org"), 553),
        ((), replace(SAMPLE, eight_bit=True), 554),
        (("SIZE 10",), SAMPLE, 552),
        (EXTENSIONS, replace(SAMPLE, pieces=(b"Subject: x\r\n\r\n" + b"y" * 999 + b"\r\n",)), 554),
        (EXTENSIONS, replace(SAMPLE, recipient="a@b.example\r\nDATA"), 553),
        (EXTENSIONS, replace(SAMPLE, sender="a b@c.example"), 553),
    ],
)
def test_it_answers_itself_for_a_mail_the_server_cannot_take(
    smtp_sink: SinkThread, extensions: tuple[str, ...], mail: Mail, code: int
) -> None:
    smtp_sink.sink.script.extensions = extensions

    with Connection(smtp_sink.route()) as connection:
        ((_, reply),) = connection.send([mail])

    assert (reply.code, reply.stage, reply.accepted) == (code, Stage.LOCAL, False)
    assert smtp_sink.events == ["EHLO", "QUIT"]


def test_it_sends_the_mails_around_one_it_cannot_send(sink: SinkThread) -> None:
    first, bad, last = mails(3)
    bad = replace(bad, recipient="broken")

    with Connection(sink.route()) as connection:
        outcomes = {mail.id: reply.accepted for mail, reply in connection.send([first, bad, last])}

    assert outcomes == {1: True, 2: False, 3: True}
    assert len(sink.messages) == 2


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize("said", ["450 4.2.0 Later", "451 Later", "452 Full", "454 Slow", "550 5.7.1 Never", "554 No"])
def test_it_goes_on_after_a_refusal(sink: SinkThread, at: str, said: str) -> None:
    sink.sink.script.faults = [Fault(at, reply=said, recipient="person2@" if at in ("RCPT", "END") else "", message=2)]

    with Connection(sink.route()) as connection:
        outcomes = [str(reply) for _, reply in connection.send(mails(3))]
        again = [reply.accepted for _, reply in connection.send(mails(1))]

    assert [said == outcome for outcome in outcomes] == [False, True, False]
    assert [message.recipients[0] for message in sink.messages] == [
        "person1@example.org",
        "person3@example.org",
        "person1@example.org",
    ]
    assert again == [True]
    assert sink.sink.connections == 1


def test_it_says_at_which_stage_it_was_refused(sink: SinkThread) -> None:
    sink.misbehave(Fault("RCPT", reply="550 5.1.1 Unknown", recipient="person2@"))

    with Connection(sink.route()) as connection:
        stages = [reply.stage for _, reply in connection.send(mails(2))]

    assert stages == [Stage.END_OF_DATA, Stage.RCPT]


@pytest.mark.parametrize("last", [2, 3])
def test_it_ends_a_content_that_has_no_recipient(smtp_sink: SinkThread, last: int) -> None:
    refusal = Fault("RCPT", reply="550 5.1.1 Unknown", recipient="person2@")
    smtp_sink.sink.script = Script(faults=[refusal], recipients_optional=True)

    with Connection(smtp_sink.route()) as connection:
        outcomes = [reply.accepted for _, reply in connection.send(mails(last))]
        again = [reply.accepted for _, reply in connection.send(mails(1))]

    assert outcomes == [True, False, True][:last]
    assert again == [True]
    assert len(smtp_sink.messages) == last
    assert smtp_sink.sink.connections == 1


def test_it_says_no_dot_when_that_could_deliver_an_empty_message() -> None:
    said = {"MAIL": "550 No", "RCPT": "250 Ok", "DATA": "354 Go on"}

    with ScriptedServer(said) as server, Connection(server.route) as connection:
        ((_, reply),) = connection.send(mails(1))

    assert (reply.code, reply.stage) == (550, Stage.MAIL)
    assert server.heard.endswith(b"DATA\r\n")


@pytest.mark.parametrize(
    ("extensions", "ahead"), [(EXTENSIONS, ["MAIL", "RCPT"]), (WITHOUT_CHUNKING, ["MAIL", "RCPT", "DATA"])]
)
def test_it_pipelines_the_next_commands_but_not_the_next_content(
    smtp_sink: SinkThread, extensions: tuple[str, ...], ahead: list[str]
) -> None:
    smtp_sink.sink.script.extensions = extensions

    with Connection(smtp_sink.route()) as connection:
        outcomes = connection.send(mails(3))
        next(outcomes)
        wait_for(lambda: smtp_sink.events[-len(ahead) :] == ahead)
        time.sleep(0.1)

        before = smtp_sink.events.count("BODY")
        next(outcomes)
        after = smtp_sink.events.count("BODY")
        list(outcomes)

    assert (before, after) == (1, 2)


def test_it_says_nothing_of_the_next_mail_without_pipelining(smtp_sink: SinkThread) -> None:
    smtp_sink.sink.script.extensions = WITHOUT_PIPELINING

    with Connection(smtp_sink.route()) as connection:
        outcomes = connection.send(mails(2))
        next(outcomes)
        time.sleep(0.1)
        events = list(smtp_sink.events)
        list(outcomes)

    assert events == ["EHLO", "MAIL", "RCPT", "DATA", "BODY", "END"]


def test_it_tells_before_a_content_leaves(sink: SinkThread) -> None:
    asked = []

    def may_leave(mail: Mail, leaving: Leaving) -> bool:
        asked.append((mail.id, leaving, sink.events.count("MAIL"), sink.events.count("BODY")))
        return True

    with Connection(sink.route()) as connection:
        list(connection.send(mails(3), may_leave))

    contents = [(number, bodies) for number, leaving, _, bodies in asked if leaving is not Leaving.MAIL]
    assert contents == [(1, 0), (2, 1), (3, 2)]
    assert asked[0] == (1, Leaving.MAIL, 0, 0)


def test_it_passes_over_a_mail_that_may_not_be_announced(sink: SinkThread) -> None:
    with Connection(sink.route()) as connection:
        for _ in range(2):
            alone = [connection.send([mail], lambda mail, _: mail.id != 2) for mail in mails(3)]
            assert [mail.id for outcomes in alone for mail, _ in outcomes] == [1, 3]

    assert sink.sink.connections == 1
    assert sink.events.count("MAIL") == len(sink.messages) == 4


def test_it_gives_an_announced_mail_back_and_keeps_the_connection_with_bdat(smtp_sink: SinkThread) -> None:
    with Connection(smtp_sink.route()) as connection:
        first = [mail.id for mail, _ in connection.send(iter(mails(2)), lambda mail, _: mail.id == 1)]
        second = [mail.id for mail, _ in connection.send(mails(1))]

    assert (first, second) == ([1], [1])
    assert (len(smtp_sink.messages), smtp_sink.sink.connections) == (2, 1)
    assert smtp_sink.events == [
        *("EHLO", "MAIL", "RCPT", "BDAT", "BODY", "END", "MAIL", "RCPT", "RSET"),
        *("MAIL", "RCPT", "BDAT", "BODY", "END", "QUIT"),
    ]


def test_it_leaves_a_server_that_ends_at_rset_when_a_mail_was_given_back(smtp_sink: SinkThread) -> None:
    smtp_sink.misbehave(Fault("RSET", reply="421 4.3.2 Bye", close=True))

    with Connection(smtp_sink.route()) as connection:
        first = [mail.id for mail, _ in connection.send(iter(mails(2)), lambda mail, _: mail.id == 1)]
        second = [reply.accepted for _, reply in connection.send(mails(1))]

    assert (first, second) == ([1], [True])
    assert smtp_sink.sink.connections == 2


def test_it_says_nothing_after_354_when_the_content_may_not_leave() -> None:
    said = {"MAIL": "250 a", "RCPT": "250 b", "DATA": "354 c"}

    with ScriptedServer(said) as server, Connection(server.route) as connection:
        assert list(connection.send(mails(2), lambda _, leaving: leaving is Leaving.MAIL)) == []

    assert server.heard.endswith(b"DATA\r\n")


def test_it_sends_no_content_when_it_could_not_be_recorded(sink: SinkThread) -> None:
    def disk_full(mail: Mail, leaving: Leaving) -> bool:
        if leaving is Leaving.MAIL:
            return True
        raise OSError("disk full")

    with Connection(sink.route()) as connection:
        with pytest.raises(OSError, match="disk full"):
            list(connection.send(mails(2), disk_full))
        again = [reply.accepted for _, reply in connection.send(mails(1))]

    assert again == [True]
    assert (len(sink.messages), sink.sink.connections) == (1, 2)


def test_it_leaves_the_rest_untouched_when_the_consumer_stops(sink: SinkThread) -> None:
    with Connection(sink.route()) as connection:
        outcomes = connection.send(mails(3))
        next(outcomes)
        outcomes.close()
        list(connection.send(mails(1)))

    assert [message.recipients[0] for message in sink.messages] == ["person1@example.org"] * 2


def test_it_refuses_bare_line_feeds_as_an_error_of_the_program(sink: SinkThread) -> None:
    with Connection(sink.route()) as connection, pytest.raises(ValueError, match="CRLF"):
        list(connection.send([replace(SAMPLE, pieces=(b"a\nb\r\n",))]))

    assert "BODY" not in sink.events


def test_it_takes_a_new_connection_after_the_limit_of_messages(sink: SinkThread) -> None:
    with Connection(sink.route(messages_per_connection=2)) as connection:
        outcomes = list(connection.send(mails(5)))

    assert [mail.id for mail, _ in outcomes] == [1, 2, 3, 4, 5]
    assert len(sink.messages) == 5
    assert sink.sink.connections == 3


def test_it_sends_a_large_message(sink: SinkThread) -> None:
    data = b"Subject: large\r\n\r\n" + b".line of text\r\n" * 400_000

    with Connection(sink.route()) as connection:
        outcomes = list(connection.send(mails(2, data)))

    assert all(reply.accepted for _, reply in outcomes)
    assert [message.data == data for message in sink.messages] == [True, True]


def test_it_sends_a_message_of_any_number_of_pieces(sink: SinkThread) -> None:
    pieces = (b"Subject: files\r\n\r\n", *(b"piece %d\r\n" % number for number in range(3_000)))
    sent = [replace(mail, pieces=pieces, is_transparent=True) for mail in mails(3)]

    with Connection(sink.route()) as connection:
        outcomes = list(connection.send(sent))

    assert all(reply.accepted for _, reply in outcomes)
    assert [message.data for message in sink.messages] == [b"".join(pieces)] * 3


def test_it_needs_one_round_trip_for_a_batch_of_one_with_bdat() -> None:
    first, second = mails(2)

    with once_proven("250 a\r\n250 b\r\n250 c") as server, Connection(server.route) as connection:
        list(connection.send([first]))
        before = len(server.heard)
        ((_, reply),) = connection.send([second])

    assert (str(reply), reply.stage) == ("250 c", Stage.END_OF_DATA)
    assert server.heard[before:] == (
        b"MAIL FROM:<errors@sender.example>\r\nRCPT TO:<person2@example.org>\r\n"
        b"BDAT %d LAST\r\n%bQUIT\r\n" % (len(second.data), second.data)
    )


@pytest.mark.parametrize(
    ("said", "stage"),
    [
        ("550 a\r\n503 b\r\n503 c", Stage.MAIL),
        ("250 a\r\n550 b\r\n503 c", Stage.RCPT),
        ("250 a\r\n550 b\r\n250 c", Stage.RCPT),
        ("250 a\r\n550 b\r\n421 c", Stage.RCPT),
        ("550 a\r\n421 b", Stage.MAIL),
        ("250 a\r\n250 b\r\n550 c", Stage.END_OF_DATA),
    ],
)
def test_it_gives_the_first_refusal_of_a_message_sent_at_once(said: str, stage: Stage) -> None:
    with once_proven(said) as server, Connection(server.route) as connection:
        list(connection.send([SAMPLE]))
        ((_, reply),) = connection.send([SAMPLE])

    assert (reply.code, reply.stage) == (550, stage)


@pytest.mark.parametrize("message", [1, 2])
@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA", "END"])
def test_it_says_rset_after_a_refusal_with_bdat(smtp_sink: SinkThread, at: str, message: int) -> None:
    smtp_sink.sink.script.faults = [Fault(at, reply="451 4.3.0 Later", message=message)]

    with Connection(smtp_sink.route()) as connection:
        first = [reply.code for _, reply in connection.send(mails(message))]
        before = len(smtp_sink.events)
        second = [reply.code for _, reply in connection.send(mails(1))]

    assert (first[message - 1 :], second) == ([451], [250])
    assert smtp_sink.events[before:] == ["RSET", "MAIL", "RCPT", "BDAT", "BODY", "END", "QUIT"]


def test_it_proves_each_new_connection_before_it_sends_at_once(smtp_sink: SinkThread) -> None:
    with Connection(smtp_sink.route(messages_per_connection=1)) as connection:
        list(connection.send(mails(1)))
        smtp_sink.sink.script.faults = [Fault("MAIL", close=True)]
        with pytest.raises(ConnectionLost) as caught:
            list(connection.send(mails(1)))

    assert (caught.value.mail, caught.value.taken_back) == (None, None)


class Keeper(Message):
    """What aiosmtpd understood."""

    def __init__(self) -> None:
        super().__init__()
        self.contents: list[tuple[list[str], bytes]] = []

    def handle_message(self, message: object) -> None:
        """Nothing more to do; `prepare_message` kept it."""

    def prepare_message(self, session: Session, envelope: Envelope) -> object:  # type: ignore[override]
        assert isinstance(envelope.content, bytes)
        self.contents.append((envelope.rcpt_tos, envelope.content))
        return super().prepare_message(session, envelope)


@pytest.fixture
def judge() -> Iterator[tuple[RouteAddress, Keeper]]:
    """aiosmtpd: another implementation, without PIPELINING."""
    keeper = Keeper()
    controller = JudgeController(keeper, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield RouteAddress("127.0.0.1", controller.port, ehlo_name="worker.example"), keeper
    controller.stop()


class JudgeController(Controller):
    def factory(self) -> SMTP:
        return SMTP(self.handler, enable_SMTPUTF8=True)


def test_it_is_understood_by_another_server(judge: tuple[RouteAddress, Keeper]) -> None:
    route, keeper = judge
    sent = [*mails(3), replace(SAMPLE, recipient="zoë@example.org", smtputf8=True)]

    with Connection(route) as connection:
        outcomes = [reply.accepted for _, reply in connection.send(sent)]

    assert outcomes == [True] * 4
    assert keeper.contents == [([mail.recipient], mail.data) for mail in sent]


def test_it_makes_the_next_mail_while_the_server_is_busy(sink: SinkThread) -> None:
    made: list[int] = []

    def making() -> Iterator[Mail]:
        for mail in mails(4):
            made.append(mail.id)
            yield mail

    with Connection(sink.route()) as connection:
        known = [(mail.id, list(made)) for mail, _ in connection.send(making())]

    assert [number for number, _ in known] == [1, 2, 3, 4]
    assert known[0][1] == [1, 2, 3]
    assert known[1][1] == [1, 2, 3, 4]


def test_it_tells_the_outcome_of_what_is_under_way_before_what_goes_wrong_ahead(sink: SinkThread) -> None:
    def breaking() -> Iterator[Mail]:
        yield from mails(2)
        raise RuntimeError("cannot be made")

    with Connection(sink.route()) as connection:
        outcomes = connection.send(breaking())
        first, reply = next(outcomes)
        with pytest.raises(RuntimeError, match="cannot be made"):
            next(outcomes)

    assert (first.id, reply.accepted) == (1, True)
    assert len(sink.messages) == 1
