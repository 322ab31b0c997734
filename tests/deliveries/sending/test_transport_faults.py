"""What is known about each mail when a server or the network fails, stage by stage."""

import select
import socket
import time
from dataclasses import replace

import pytest

from campaign.demo.sink import Fault
from deliveries.mail import Mail
from deliveries.sending.handshake import RouteUnavailable
from deliveries.sending.session import ConnectionLost
from deliveries.sending.smtp.replies import Stage
from deliveries.sending.smtp.steps import Leaving
from deliveries.sending.transport import Connection
from tests.deliveries.sending.servers import SHORT, ScriptedServer, free_port, once_proven, serving
from tests.smtp_sink import SAMPLE, WITHOUT_CHUNKING, WITHOUT_PIPELINING, SinkThread, mails


@pytest.fixture(params=["pipelining", "one by one"])
def sink_with_data(request: pytest.FixtureRequest, smtp_sink: SinkThread) -> SinkThread:
    """A sink that is told DATA, and whose answer is waited for before a content leaves."""
    smtp_sink.sink.script.extensions = WITHOUT_CHUNKING if request.param == "pipelining" else WITHOUT_PIPELINING
    return smtp_sink


def send(sink: SinkThread, count: int = 3) -> tuple[list[int], ConnectionLost]:
    """The ids of the mails with an outcome, and how it ended. The rest must go through on a second attempt."""
    done: list[int] = []
    with Connection(sink.route()) as connection:
        with pytest.raises(ConnectionLost) as caught:
            done.extend(mail.id for mail, _ in connection.send(mails(count)))
        sink.sink.script.faults = ()
        in_doubt = caught.value.mail.id if caught.value.mail else None
        rest = [mail for mail in mails(count) if mail.id not in done and mail.id != in_doubt]
        assert all(reply.accepted for _, reply in connection.send(rest))
    return done, caught.value


@pytest.mark.parametrize("message", [1, 2])
@pytest.mark.parametrize("at", ["MAIL", "RCPT"])
def test_it_doubts_nothing_when_the_connection_ends_before_the_content(sink: SinkThread, at: str, message: int) -> None:
    sink.sink.script.faults = [Fault(at, close=True, message=message)]

    done, lost = send(sink)

    assert done == [1][: message - 1]
    assert (lost.mail, lost.taken_back) == (None, None)
    assert [message.recipients[0][6] for message in sink.messages] == ["1", "2", "3"]


@pytest.mark.parametrize("message", [1, 2])
def test_it_doubts_nothing_when_the_connection_ends_at_data(sink_with_data: SinkThread, message: int) -> None:
    sink_with_data.sink.script.faults = [Fault("DATA", close=True, message=message)]

    done, lost = send(sink_with_data)

    assert done == [1][: message - 1]
    assert (lost.mail, lost.taken_back) == (None, None)


@pytest.mark.parametrize("message", [1, 2])
def test_it_doubts_the_mail_whose_bdat_was_not_answered(smtp_sink: SinkThread, message: int) -> None:
    smtp_sink.sink.script.faults = [Fault("DATA", close=True, message=message)]

    done, lost = send(smtp_sink)

    assert done == [1][: message - 1]
    assert lost.mail is not None
    assert lost.mail.id == message


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
def test_it_doubts_a_mail_that_left_together_with_its_announcement(smtp_sink: SinkThread, at: str) -> None:
    first, second, third = mails(3)

    with Connection(smtp_sink.route()) as connection:
        list(connection.send([first]))
        smtp_sink.sink.script.faults = [Fault(at, close=True)]
        with pytest.raises(ConnectionLost) as caught:
            list(connection.send([second, third]))

    assert (caught.value.mail, caught.value.taken_back) == (second, None)
    assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("message", [1, 2])
def test_it_doubts_a_small_content_that_was_read_halfway(sink: SinkThread, message: int) -> None:
    sink.sink.script.faults = [Fault("BODY", close=True, message=message)]

    done, lost = send(sink)

    assert done == [1][: message - 1]
    assert lost.mail is not None
    assert lost.mail.id == message


@pytest.mark.parametrize("message", [1, 2])
@pytest.mark.parametrize("at", ["MAIL", "RCPT"])
def test_it_doubts_nothing_when_the_server_says_421_before_the_content(sink: SinkThread, at: str, message: int) -> None:
    sink.sink.script.faults = [Fault(at, reply="421 4.3.2 Going down", close=True, message=message)]

    done, lost = send(sink)

    assert (done, lost.mail, lost.taken_back) == ([1][: message - 1], None, None)
    assert "421 4.3.2 Going down" in lost.sentence


def test_it_doubts_nothing_when_the_server_says_421_to_data(sink_with_data: SinkThread) -> None:
    sink_with_data.sink.script.faults = [Fault("DATA", reply="421 4.3.2 Going down", close=True, message=2)]

    done, lost = send(sink_with_data)

    assert (done, lost.mail) == ([1], None)
    assert "421 4.3.2 Going down" in lost.sentence


@pytest.mark.parametrize("at", ["MAIL", "RCPT"])
def test_it_takes_back_a_content_that_left_before_421(smtp_sink: SinkThread, at: str) -> None:
    first, second, third = mails(3)

    with Connection(smtp_sink.route()) as connection:
        list(connection.send([first]))
        smtp_sink.sink.script.faults = [Fault(at, reply="421 4.3.2 Going down", close=True)]
        with pytest.raises(ConnectionLost, match=r"421 4\.3\.2 Going down") as caught:
            list(connection.send([second, third]))

    assert (caught.value.mail, caught.value.taken_back) == (None, second)
    assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("message", [1, 2])
def test_it_takes_421_to_bdat_for_the_answer(smtp_sink: SinkThread, message: int) -> None:
    smtp_sink.sink.script.faults = [Fault("DATA", reply="421 4.3.2 Going down", close=True, message=message)]

    done, lost = send(smtp_sink)

    assert (done, lost.mail, lost.taken_back) == ([1, 2][:message], None, None)


@pytest.mark.parametrize("said", ["550 a", "250 a\r\n550 b", "250 a\r\n550 b\r\nnonsense"])
def test_it_keeps_a_refusal_when_the_connection_ends_behind_it(said: str) -> None:
    done: list[int] = []

    with once_proven(said, last=said) as server, Connection(server.route) as connection:
        list(connection.send([SAMPLE]))
        with pytest.raises(ConnectionLost) as caught:
            done.extend(reply.code for _, reply in connection.send([SAMPLE]))

    assert done == [550]
    assert (caught.value.mail, caught.value.taken_back) == (None, None)


@pytest.mark.parametrize("said", ["550 a\r\n503 b\r\n250 c", "250 a\r\n250 b\r\n354 c", "250 a\r\n250 b\r\nwell"])
def test_it_doubts_a_mail_sent_at_once_whose_answers_make_no_sense(said: str) -> None:
    with once_proven(said) as server, Connection(server.route) as connection:
        list(connection.send([SAMPLE]))
        with pytest.raises(ConnectionLost) as caught:
            list(connection.send([SAMPLE]))

    assert caught.value.mail == SAMPLE


@pytest.mark.parametrize("kept", [True, False])
def test_it_doubts_the_mail_whose_answer_never_came(sink: SinkThread, *, kept: bool) -> None:
    sink.sink.script.faults = [Fault("END", close=True, recipient="person2@", keep=kept)]

    done, lost = send(sink)

    assert done == [1]
    assert lost.mail is not None
    assert lost.mail.id == 2
    assert "whether it arrived is unknown" in lost.sentence
    assert [message.recipients[0][6] for message in sink.messages] == (["1", "2", "3"] if kept else ["1", "3"])


def test_it_doubts_the_mail_whose_answer_took_too_long(sink: SinkThread) -> None:
    sink.sink.script.faults = [Fault("END", delay=5, recipient="person2@")]

    done, lost = send(sink)

    assert done == [1]
    assert lost.mail is not None
    assert lost.mail.id == 2
    assert "in time" in lost.sentence


def test_it_doubts_the_mail_answered_with_nonsense(sink: SinkThread) -> None:
    sink.sink.script.faults = [Fault("END", reply="OK, thanks", recipient="person2@")]

    done, lost = send(sink)

    assert done == [1]
    assert lost.mail is not None
    assert lost.mail.id == 2


def test_it_takes_421_after_the_content_for_the_answer(sink: SinkThread) -> None:
    sink.sink.script.faults = [Fault("END", reply="421 4.3.2 Going down", close=True, recipient="person2@")]

    done, lost = send(sink)

    assert (done, lost.mail) == ([1, 2], None)


def test_it_needs_no_error_when_421_answers_the_last_mail(sink: SinkThread) -> None:
    sink.sink.script.faults = [Fault("END", reply="421 4.3.2 Going down", close=True)]

    with Connection(sink.route()) as connection:
        ((_, reply),) = connection.send(mails(1))
        sink.sink.script.faults = ()
        ((_, again),) = connection.send(mails(1))

    assert (reply.code, reply.stage, reply.temporary) == (421, Stage.END_OF_DATA, True)
    assert again.accepted


def test_it_takes_back_a_content_that_broke_off(sink: SinkThread) -> None:
    large = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n"
    large += (b"y" * 76 + b"\r\n") * 500_000
    sink.sink.script.faults = [Fault("BODY", close=True)]

    with Connection(sink.route()) as connection, pytest.raises(ConnectionLost) as caught:
        list(connection.send(mails(1, large)))

    assert caught.value.mail is None
    assert caught.value.taken_back is not None
    assert caught.value.taken_back.id == 1


def test_it_hears_a_refusal_given_in_the_middle_of_a_content(sink: SinkThread) -> None:
    large = b"Subject: large\r\n\r\n" + (b"y" * 76 + b"\r\n") * 500_000
    sink.sink.script.faults = [Fault("BODY", reply="552 5.3.4 Too big", close=True)]

    with Connection(sink.route()) as connection:
        ((_, reply),) = connection.send(mails(1, large))

    assert str(reply) == "552 5.3.4 Too big"


def test_it_connects_again_when_the_server_gave_up_an_idle_connection(sink: SinkThread) -> None:
    sink.sink.script.faults = [Fault("END", reply="250 Ok\r\n421 4.4.2 Idle", close=True, message=1)]

    with Connection(sink.route()) as connection:
        list(connection.send(mails(1)))
        time.sleep(0.05)
        outcomes = [reply.accepted for _, reply in connection.send(mails(2))]

    assert outcomes == [True, True]
    assert sink.sink.connections == 2


def test_it_sends_no_content_after_an_answer_nobody_asked_for() -> None:
    said = {"MAIL": "250 a", "RCPT": "250 b", "DATA": "354 c\r\n250 already sent"}

    with (
        ScriptedServer(said) as server,
        Connection(server.route) as connection,
        pytest.raises(ConnectionLost, match="without being asked") as caught,
    ):
        list(connection.send(mails(1)))

    assert caught.value.mail is None
    assert server.heard.endswith(b"DATA\r\n")


class Twice:
    """Answers right and at once, but says `end` to a content; `peer` is its side of the connection."""

    def __init__(self, extensions: str, end: str) -> None:
        content_ends_at = b"End" if "CHUNKING" in extensions else b"."
        self._answers = {b"MAIL": "250 mail", b"RCPT": "250 rcpt", b"DATA": "354 data", content_ends_at: end}
        self._answers[b"EHLO"] = f"250-twice\r\n{extensions}"
        self.contents = 0
        self.peer: socket.socket | None = None

    def __call__(self, peer: socket.socket) -> None:
        self.peer = peer
        peer.sendall(b"220 twice\r\n")
        while data := peer.recv(65_536):
            verbs = [line.split(b" ")[0].replace(b"ehlo", b"EHLO") for line in data.splitlines()]
            self.contents += verbs.count(b"End")
            peer.sendall("".join(f"{self._answers[verb]}\r\n" for verb in verbs if verb in self._answers).encode())


def say_unasked(peer: socket.socket, connection: Connection) -> None:
    """Answer once more, and return when that has come."""
    assert connection._session is not None
    peer.sendall(b"250 end\r\n")
    assert select.select([connection._session._socket], [], [], 10)[0]


DIALECTS = ["250-PIPELINING\r\n250 CHUNKING", "250 PIPELINING", "250 8BITMIME"]


@pytest.mark.parametrize("extensions", DIALECTS)
def test_it_takes_no_answer_given_twice_for_the_next_one(extensions: str) -> None:
    server = Twice(extensions, "250 end\r\n250 end")
    done: list[int] = []

    with serving(server) as route, Connection(route) as connection, pytest.raises(ConnectionLost) as caught:
        done.extend(mail.id for mail, _ in connection.send(mails(3)))

    assert (done, server.contents, caught.value.mail) == ([1], 1, None)


@pytest.mark.parametrize("extensions", DIALECTS)
def test_it_takes_no_late_second_answer_for_the_next_one(extensions: str) -> None:
    server = Twice(extensions, "250 end")
    done: list[int] = []

    def late(mail: Mail, leaving: Leaving) -> bool:
        if (mail.id, leaving) == (2, Leaving.CONTENT) and server.peer is not None:
            say_unasked(server.peer, connection)
        return True

    with serving(server) as route, Connection(route) as connection, pytest.raises(ConnectionLost) as caught:
        done.extend(mail.id for mail, _ in connection.send(mails(3), late))

    assert (done, server.contents, caught.value.mail) == ([1], 1, None)
    assert caught.value.taken_back is not None
    assert caught.value.taken_back.id == 2
    assert "without being asked: 250 end" in caught.value.sentence


@pytest.mark.parametrize("extensions", DIALECTS)
def test_it_begins_no_batch_on_a_connection_that_is_out_of_step(extensions: str) -> None:
    server = Twice(extensions, "250 end")

    with serving(server) as route, Connection(route) as connection:
        list(connection.send(mails(1)))
        assert server.peer is not None
        say_unasked(server.peer, connection)
        with pytest.raises(RouteUnavailable):  # it has but one connection to give
            list(connection.send(mails(1)))

    assert server.contents == 1


def test_it_refuses_a_positive_answer_of_the_wrong_kind() -> None:
    with (
        ScriptedServer({"MAIL": "250 a", "RCPT": "250 b", "DATA": "250 c"}) as server,
        Connection(server.route) as connection,
        pytest.raises(ConnectionLost, match="no answer to it"),
    ):
        list(connection.send(mails(1)))


def test_it_waits_for_an_answer_no_longer_than_agreed() -> None:
    with ScriptedServer({}) as server, Connection(replace(server.route, timeouts=SHORT)) as connection:
        began = time.monotonic()
        with pytest.raises(ConnectionLost, match="in time") as caught:
            list(connection.send([SAMPLE]))

    assert caught.value.mail is None
    assert time.monotonic() - began < 20


def test_it_says_that_nobody_listens() -> None:
    with ScriptedServer({}) as server:
        route = server.route
    route = replace(route, port=free_port(), name="Main")

    with pytest.raises(RouteUnavailable, match=r"refused the connection\. Check host and port of the route “Main”"):
        list(Connection(route).send([SAMPLE]))


def test_it_says_that_the_name_is_unknown(smtp_sink: SinkThread) -> None:
    with pytest.raises(RouteUnavailable, match=r"host\.invalid was not found"):
        list(Connection(smtp_sink.route(host="host.invalid")).send([SAMPLE]))


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("CONNECT", reply="554 5.7.1 Your host is blocked", close=True), "554 5.7.1 Your host is blocked"),
        (Fault("CONNECT", close=True), "closed the connection during the greeting"),
        (Fault("CONNECT", delay=5), "did not answer within 2 seconds"),
        (Fault("CONNECT", reply="HTTP/1.1 400 Bad Request"), "Check"),
        (Fault("EHLO", close=True), "closed the connection during the greeting"),
        (Fault("EHLO", reply="421 4.3.2 Busy", close=True), "."),
    ],
)
def test_it_says_why_the_session_was_not_accepted(smtp_sink: SinkThread, fault: Fault, sentence: str) -> None:
    smtp_sink.misbehave(fault)

    with pytest.raises(RouteUnavailable, match=sentence):
        list(Connection(smtp_sink.route()).send([SAMPLE]))


def test_it_asks_for_no_connection_without_mails(smtp_sink: SinkThread) -> None:
    assert list(Connection(smtp_sink.route()).send([])) == []
    assert smtp_sink.sink.connections == 0
