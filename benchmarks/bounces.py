"""Bounces per second, from a mail to what follows from it: ``python -m benchmarks.bounces [--mails n]``.

Servers return messages of the benchmarks' newsletter whole, 27 KB each: people that are unknown, mailboxes that are
full, messages that are late, answers of machines, and words that no rule knows. They come together as from a mailbox,
to one process and to two at once, then one by one, then to the SMTP server over several connections. In the end every
message must have its state, every address its errors, and every part its counters.
"""

import argparse
import json
import multiprocessing
import random
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks import lab
from benchmarks.lab import BenchmarkProblem, Program

CONNECTIONS = 20
"""As many as a Postfix nearby opens."""
ONE_BY_ONE = 4
"""One mail in so many comes one by one."""
PER_MESSAGE_STEP = 20
"""One message in so many comes back, so that the mails touch many parts."""

_SAID = (
    *["550 5.1.1 <{address}>: Recipient address rejected: User unknown"] * 6,
    *["452 4.2.2 <{address}>: The mailbox is full"] * 2,
    "550 5.0.0 computer {number} says no",
    "delayed",
)
_MAIL = """\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=b1"

--=b1
Content-Type: text/plain

This is the mail system at host mx.example.org.

--=b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {words}

--=b1
Content-Type: message/rfc822

"""

Mail = tuple[str, bytes]
"""The address that it comes to, and the mail with CRLF line ends."""


def main() -> None:
    """Prepare a delivery, bring its bounces by each way, check what followed, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=2_000, help="by each way")
    options = parser.parse_args()
    folder = lab.PROJECT / "var" / "bench"
    lab.begin(folder)
    delivery_id, mails = prepare(options.mails * 3 + options.mails // ONE_BY_ONE)
    ways: tuple[tuple[str, Callable[[Sequence[Mail]], float], int], ...] = (
        ("together", together, options.mails),
        ("together, two processes", in_two_processes, options.mails),
        ("one by one", one_by_one, options.mails // ONE_BY_ONE),
        (f"SMTP, {CONNECTIONS} connections", by_smtp, options.mails),
    )
    figures: dict[str, float] = {"octets of a mail": len(mails[0][1])}
    for name, bring, count in ways:
        mine, mails = mails[:count], mails[count:]
        figures[name] = round(len(mine) / bring(mine), 1)
        print(f"{name:<28}{figures[name]:>10,} mails/s", flush=True)
    check(delivery_id)
    (folder.parent / "bench-bounces.json").write_text(json.dumps(figures, indent=2) + "\n")


def prepare(count: int) -> tuple[int, list[Mail]]:
    """A delivery that has left, and ``count`` mails about as many of its messages, in no order."""
    from benchmarks import engine
    from campaign.lib.clock import now
    from deliveries.models import Message, Part
    from deliveries.rows import renderer, rows_of
    from deliveries.sending import outcomes
    from deliveries.sending.outcomes import Outcome
    from deliveries.states import MessageState

    people = count * PER_MESSAGE_STEP
    engine.import_people(people)
    engine.lead_to(9)
    delivery = engine.prepare(people, sender_domain="unsigned.example")
    engine.start(delivery)
    Part.objects.filter(delivery=delivery).update(dated_at=now())
    ids = list(Message.objects.of_delivery(delivery.pk).order_by("pk").values_list("pk", flat=True))
    for start in range(0, people, 1_000):
        outcomes.record([Outcome(pk, MessageState.SENT, "250 2.0.0 Ok", now()) for pk in ids[start : start + 1_000]])
    mails = []
    for number, (content_id, row) in enumerate(rows_of(ids[::PER_MESSAGE_STEP])):
        left = renderer(content_id).mail(row)
        mails.append((left.sender, _returned(left.sender, row.address, left.data, number)))
    random.Random(1).shuffle(mails)
    return delivery.pk, mails


def _returned(to: str, address: str, original: bytes, number: int) -> bytes:
    said = _SAID[number % len(_SAID)]
    is_late = said == "delayed"
    words = "451 4.4.1 Connection timed out" if is_late else said.format(address=address, number=number)
    head = _MAIL.format(
        to=to, address=address, words=words, status=words.split()[1], action="delayed" if is_late else "failed"
    )
    return head.replace("\n", "\r\n").encode() + original + b"\r\n--=b1--\r\n"


def together(mails: Sequence[Mail]) -> float:
    """Seconds for mails that are brought together, as many as a mailbox's reader brings."""
    from bounces.process import of_mail, process_all
    from bounces.sources.collect import BATCH

    began = time.perf_counter()
    for start in range(0, len(mails), BATCH):
        process_all([of_mail(raw, source="Benchmark") for _, raw in mails[start : start + BATCH]])
    return time.perf_counter() - began


def in_two_processes(mails: Sequence[Mail]) -> float:
    """The same, every other mail to another process: both work on the same parts."""
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(3)

    def bring(number: int) -> None:
        barrier.wait()
        together(mails[number::2])
        connections.close_all()

    processes = [context.Process(target=bring, args=[number]) for number in range(2)]
    for process in processes:
        process.start()
    barrier.wait()
    began = time.perf_counter()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - began
    if any(process.exitcode for process in processes):
        raise BenchmarkProblem("A process that handled bounces failed.")
    return seconds


def one_by_one(mails: Sequence[Mail]) -> float:
    """Seconds for mails that come alone, as from a pipe, but in one process."""
    from bounces.process import process

    began = time.perf_counter()
    for to, raw in mails:
        process(raw, source="Benchmark", envelope_to=to)
    return time.perf_counter() - began


def by_smtp(mails: Sequence[Mail]) -> float:
    """Seconds for mails that clients on this machine hand to ``receive_bounces``."""
    port = 19_000 + random.SystemRandom().randrange(1_000)
    server = Program("bounces", "manage", "receive_bounces", "--smtp", f"127.0.0.1:{port}")
    server.start()
    failed: list[Exception] = []
    try:
        _wait_for(port)
        clients = [
            threading.Thread(target=_hand_over, args=[port, mails[number::CONNECTIONS], failed])
            for number in range(CONNECTIONS)
        ]
        began = time.perf_counter()
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        seconds = time.perf_counter() - began
    finally:
        server.stop()
    if failed:
        raise BenchmarkProblem(f"{len(failed)} connections were refused something, the first: {failed[0]}")
    return seconds


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + lab.START_SECONDS
    while time.monotonic() < deadline:
        try:
            smtplib.SMTP("127.0.0.1", port, local_hostname="mta.example.org").quit()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise BenchmarkProblem("The SMTP server does not answer.")


def _hand_over(port: int, mails: Sequence[Mail], failed: list[Exception]) -> None:
    try:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="mta.example.org") as client:
            for to, raw in mails:
                client.sendmail("", [to], raw)
    except (OSError, smtplib.SMTPException) as error:
        failed.append(error)


def check(delivery_id: int) -> None:
    """Raises :class:`BenchmarkProblem` unless log, parts, quarantine and kept mails say the same."""
    from bounces.models import BounceMail
    from deliveries.models import Message, Part
    from deliveries.states import MessageState
    from recipients.models import Quarantine

    mails = BounceMail.objects.count()
    late = BounceMail.objects.filter(kind="delayed").count()
    log = Counter(Message.objects.of_delivery(delivery_id).values_list("state", flat=True))
    counted = {"sent": 0, "failed": 0}
    for part in Part.objects.filter(delivery_id=delivery_id):
        counted["sent"] += part.sent
        counted["failed"] += part.failed
    expected = {"sent": log[MessageState.SENT], "failed": log[MessageState.FAILED]}
    if expected != counted or expected["failed"] != mails - late or Quarantine.objects.count() != mails - late:
        raise BenchmarkProblem(f"Of {mails} mails ({late} late) the log says {expected}, the parts {counted}.")


if __name__ == "__main__":
    main()
