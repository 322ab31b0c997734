"""Whole conversations without a socket, against a model of a strict server that shares no code with ours."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from deliveries.mail import Mail
from deliveries.sending.smtp.commands import Extensions
from deliveries.sending.smtp.pipeline import converse
from deliveries.sending.smtp.replies import Reply
from deliveries.sending.smtp.steps import Answer, Body, Leaving, May, Outcome, Read, Standing, Write

DIALECTS = [Extensions(), Extensions(pipelining=True), Extensions(pipelining=True, chunking=True)]


@dataclass
class Model:
    """Refuses what `refused` says, by recipient: the stage and code. BDAT that failed leaves only RSET (RFC 3030)."""

    refused: dict[str, tuple[str, int]]
    wire: bytes = b""
    replies: list[int] = field(default_factory=list)
    sender: str | None = None
    recipient: str | None = None
    in_data: bool = False
    taken: list[tuple[str, bytes]] = field(default_factory=list)

    def hear(self, octets: bytes) -> None:
        """Answer every whole command and content."""
        self.wire += octets
        while self._take():
            pass

    def _take(self) -> bool:
        if self.in_data:
            content, end, rest = (b"\r\n" + self.wire).partition(b"\r\n.\r\n")
            if end:
                self.wire, self.in_data = rest, False
                self._end(re.sub(rb"\r\n\.", b"\r\n", content)[2:] + b"\r\n")
                self.sender = self.recipient = None
            return bool(end)
        line, end, rest = self.wire.partition(b"\r\n")
        if not end:
            return False
        verb, argument = line[:4].decode(), line[5:].decode()
        if verb == "BDAT":
            octets = int(argument.removesuffix(" LAST"))
            if len(rest) < octets:
                return False
            self.wire = rest[octets:]
            self._end(rest[:octets])
            return True
        self.wire = rest
        self.replies.append(getattr(self, f"_{verb.lower()}")(argument))
        return True

    def _mail(self, argument: str) -> int:
        if self.sender is not None:
            return 503
        address = argument[6:-1]
        if code := self._code("MAIL", address):
            return code
        self.sender = address
        return 250

    def _rcpt(self, argument: str) -> int:
        if self.sender is None or self.recipient is not None:
            return 503
        if code := self._code("RCPT", argument[4:-1]):
            return code
        self.recipient = argument[4:-1]
        return 250

    def _data(self, _: str) -> int:
        if self.recipient is None:
            return 503
        if code := self._code("DATA", self.recipient):
            return code
        self.in_data = True
        return 354

    def _rset(self, _: str) -> int:
        self.sender = self.recipient = None
        return 250

    def _end(self, content: bytes) -> None:
        if self.recipient is None:
            self.replies.append(503)
        elif code := self._code("END", self.recipient):
            self.replies.append(code)
        else:
            self.taken.append((self.recipient, content))
            self.replies.append(250)
            self.sender = self.recipient = None

    def _code(self, stage: str, address: str) -> int:
        at, code = self.refused.get(address, ("", 0))
        return code if at == stage else 0


def carried_out(
    batches: list[list[Mail]], dialect: Extensions, model: Model, kept: Collection[str] = ()
) -> Iterator[tuple[Mail, Reply]]:
    """The outcomes of batches on one connection; what leaves is looked at on its way."""
    standing = Standing()
    for batch in batches:
        conversation = converse(iter(batch), dialect, standing)
        answer: Answer = None
        allowed: May | None = None
        open_body: Mail | None = None
        while True:
            try:
                step = conversation.send(answer)
            except StopIteration as end:
                standing = end.value
                break
            answer = None
            if isinstance(step, Write | Body):
                octets = step.data if isinstance(step, Write) else b"".join([*step.content, step.rest])
                assert not re.search(rb"(?<!\r)\n|\r(?!\n)", octets)
                assert not model.replies, "Something leaves before every answer was read."
                model.hear(octets)
            if isinstance(step, May):
                allowed = step
                answer = step.mail.recipient not in kept or step.leaving is Leaving.CONTENT
            if isinstance(step, Body):
                assert allowed is not None
                assert (allowed.mail, allowed.leaving is not Leaving.MAIL) == (step.mail, True), "Nobody was asked."
                assert open_body is None, "A content leaves before the outcome of the one before."
                assert all(step.content)
                open_body = step.mail
            if isinstance(step, Read):
                answer = Reply(model.replies.pop(0), "said", step.stage)
            if isinstance(step, Outcome):
                open_body = None
                yield step.mail, step.reply


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[list[Mail]], dict[str, tuple[str, int]]]:
    """Batches of mails with any lines, and who is refused where. Sender and recipient are one, so MAIL can tell."""
    batches, refused, number = [], {}, 0
    for size in draw(st.lists(st.integers(0, 4), min_size=1, max_size=3)):
        batch = []
        for _ in range(size):
            number += 1
            lines = draw(st.lists(st.sampled_from([".", "..", "", "MAIL FROM:<x>", "RSET", ".x", "é"]), min_size=1))
            address = f"p{number}@example.org"
            data = "".join(f"{line}\r\n" for line in lines).encode()
            batch.append(Mail(number, address, address, (data,), smtputf8=False, eight_bit=False))
            if draw(st.booleans()):
                stage = draw(st.sampled_from(["MAIL", "RCPT", "DATA", "END"]))
                refused[address] = (stage, draw(st.sampled_from([450, 451, 452, 454, 550, 554])))
        batches.append(batch)
    return batches, refused


@given(plans(), st.sampled_from(DIALECTS))
def test_it_hands_over_what_is_not_refused_once_and_unchanged(
    plan: tuple[list[list[Mail]], dict[str, tuple[str, int]]], dialect: Extensions
) -> None:
    batches, refused = plan
    if dialect.chunking:  # there is no DATA to refuse
        refused = {address: refusal for address, refusal in refused.items() if refusal[0] != "DATA"}
    model = Model(refused)

    outcomes = list(carried_out(batches, dialect, model))

    mails = [mail for batch in batches for mail in batch]
    assert [mail for mail, _ in outcomes] == mails
    assert [reply.code for _, reply in outcomes] == [refused.get(mail.recipient, ("", 250))[1] for mail in mails]
    assert model.taken == [(mail.recipient, mail.data) for mail in mails if mail.recipient not in refused]
    assert (model.wire, model.replies) == (b"", [])


@given(plans(), st.sampled_from(DIALECTS), st.data())
def test_what_may_not_leave_is_not_on_the_wire_and_the_rest_is_as_ever(
    plan: tuple[list[list[Mail]], dict[str, tuple[str, int]]], dialect: Extensions, data: st.DataObject
) -> None:
    batches = [[mail] for batch in plan[0] for mail in batch]
    mails = [mail for batch in batches for mail in batch]
    kept = data.draw(st.sets(st.sampled_from(mails))) if mails else set()
    model = Model({})

    outcomes = list(carried_out(batches, dialect, model, [mail.recipient for mail in kept]))

    assert [mail for mail, _ in outcomes] == [mail for mail in mails if mail not in kept]
    assert model.taken == [(mail.recipient, mail.data) for mail in mails if mail not in kept]
    assert (model.wire, model.replies) == (b"", [])
