"""A delivery while everything around it dies: ``python -m benchmarks.chaos [--messages 20000] [--kills 20]``.

Sending processes and whole workers are killed (SIGKILL), Redis is emptied and killed, PostgreSQL is restarted without a
shutdown, and the SMTP server misbehaves at every stage of the dialogue, while a supervisor starts again what has died.
Afterwards the delivery log is compared with what the sink took, by Message-ID and address.

Exit status 0: nothing lost, nothing repeated, no state that is wrong, and no more messages in doubt than connections
that were open in killed processes or that the server dropped, without an answer, once a content had begun to
arrive. The report is written to var/chaos.json.
"""

import argparse
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO

import redis

from benchmarks import lab
from benchmarks.lab import BenchmarkProblem, Node, Program
from benchmarks.servers import counting_sink

PROCESSES = 2
CONNECTIONS = 40
FAULTS = 0.01
"""Share of messages at which the server misbehaves."""
LOOK_SECONDS = 0.05
RESTART_SECONDS = 0.5
STALL_SECONDS = 240
RETRY_PERIOD = timedelta(seconds=2)
SENDER_DOMAIN = "unsigned.example"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What the sink says: how often it took a message (by Message-ID and address), from whom it withheld the answer,
    and how many connections it closed without a word at which stage."""

    taken: Counter[tuple[str, str]]
    withheld: frozenset[str]
    dropped: Counter[str]

    @classmethod
    def read(cls, log: Path) -> "Arrivals":
        """From the log that benchmarks/sink.py writes."""
        taken: Counter[tuple[str, str]] = Counter()
        dropped: Counter[str] = Counter()
        withheld = set()
        for line in log.read_text().splitlines():
            word, _, rest = line.partition(" ")
            if word == "dropped":
                dropped[rest] += 1
                continue
            identifier, _, address = rest.partition(" ")
            taken[identifier, address] += 1
            if word == "withheld":
                withheld.add(address)
        return cls(taken, frozenset(withheld), dropped)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The delivery log beside what arrived. ``wrong`` are messages that the log says were refused and the sink took."""

    messages: int
    arrived: int
    lost: int
    repeated: int
    wrong: int
    in_doubt: int
    in_doubt_arrived: int
    most_in_doubt: int
    answers_withheld: int
    connections_killed: int
    connections_dropped: dict[str, int]
    states: dict[str, int]

    @property
    def holds(self) -> bool:
        """What the engine promises."""
        return not (self.lost or self.repeated or self.wrong) and self.in_doubt <= self.most_in_doubt


def judge(states: Mapping[str, str], arrivals: Arrivals, connections_killed: int) -> Verdict:
    """Compare the states by address with the arrivals. A message still pending at the end counts as lost."""
    arrived = {address for _, address in arrivals.taken}
    of = {state: {address for address, its in states.items() if its == state} for state in set(states.values())}
    in_doubt = of.get("IN_DOUBT", set())
    known = {"SENT", "FAILED", "IN_DOUBT"}
    return Verdict(
        messages=len(states),
        arrived=len(arrived),
        lost=len(of.get("SENT", set()) - arrived) + sum(state not in known for state in states.values()),
        repeated=sum(arrivals.taken.values()) - len(arrived),
        wrong=len(of.get("FAILED", set()) & arrived) + len(arrived - states.keys()),
        in_doubt=len(in_doubt),
        in_doubt_arrived=len(in_doubt & arrived),
        most_in_doubt=connections_killed + sum(arrivals.dropped[at] for at in ("CHUNK", "BODY", "END")),
        answers_withheld=len(arrivals.withheld),
        connections_killed=connections_killed,
        connections_dropped=dict(arrivals.dropped),
        states={state: len(addresses) for state, addresses in sorted(of.items())},
    )


class Chaos:
    """The events, and the supervisor that starts again what has died."""

    def __init__(self, node: Node, programs: list[Program], sink_port: int) -> None:
        self.node = node
        self.programs = programs
        self.sink_port = sink_port
        self.connections_killed = 0
        self._down: dict[str, float] = {}

    def kinds(self) -> dict[str, Callable[[], None]]:
        """Name and act of each kind of event."""
        return {
            "kill a sending process": self.kill_sender,
            "kill the worker's main process": self.kill_main,
            "kill a whole worker": self.kill_worker,
            "empty Redis": self.empty_redis,
            "kill Redis": self.kill_redis,
            "restart PostgreSQL without shutdown": self.restart_postgresql,
        }

    def supervise(self) -> None:
        """Start again, after a moment, each program whose main process has ended."""
        for program in self.programs:
            if program.is_running:
                continue
            since = self._down.setdefault(program.name, time.monotonic())
            if time.monotonic() - since >= RESTART_SECONDS:
                del self._down[program.name]
                program.start()

    def kill_sender(self) -> None:
        """The busiest process of the pool; the worker replaces it."""
        if senders := self.node.senders():
            self._kill(max(senders, key=lambda pid: connections_to(pid, self.sink_port)))

    def kill_main(self) -> None:
        """The pool's parent. Celery has the kernel kill the pool with it, so its connections count as well."""
        self.connections_killed += sum(connections_to(pid, self.sink_port) for pid in self.node.senders())
        self._kill(self.node.main.pid)

    def kill_worker(self) -> None:
        """Parent and pool at once, as the kernel does when memory runs out."""
        for pid in (self.node.main.pid, *self.node.senders()):
            self._kill(pid)

    def empty_redis(self) -> None:
        """FLUSHALL."""
        from django.conf import settings

        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.flushall()

    def kill_redis(self) -> None:
        """The keeper of the services starts it again."""
        from benchmarks import engine

        os.kill(engine.redis_server(), signal.SIGKILL)

    def restart_postgresql(self) -> None:
        """What ``pg_ctl restart -m immediate`` sends; the keeper of the services starts it again."""
        from benchmarks import engine

        os.kill(engine.postmaster(), signal.SIGQUIT)

    def _kill(self, pid: int) -> None:
        self.connections_killed += connections_to(pid, self.sink_port)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def connections_to(pid: int, port: int) -> int:
    """How many connections to this port of the loopback a process has open (Linux)."""
    try:
        sockets = {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
        lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    wanted = {f"socket:[{fields[9]}]" for fields in map(str.split, lines) if fields[2].endswith(f":{port:04X}")}
    return len(sockets & wanted)


def plan(kinds: list[str], events: int, messages: int, seed: int) -> list[tuple[int, str]]:
    """When (after how many messages) what happens: each kind in turn, order and moments drawn from the seed."""
    chance = random.Random(seed)
    names = [kinds[number % len(kinds)] for number in range(events)]
    chance.shuffle(names)
    room = messages / (events + 1)
    return [(round((number + chance.uniform(0.2, 1.0)) * room), name) for number, name in enumerate(names)]


class Progress:
    """How many messages the sink has taken, read from the end of its log."""

    def __init__(self, log: IO[str]) -> None:
        self._log = log
        self.taken = 0

    def look(self) -> int:
        """The count now."""
        self.taken += sum(not line.startswith("dropped") for line in self._log)
        return self.taken


def run(messages: int, events: int, seed: int, folder: Path) -> tuple[Verdict, list[str]]:
    """The delivery with its events; returns the comparison and what happened when.

    Raises :class:`BenchmarkProblem` when nothing moves any more.
    """
    lab.begin(folder)
    from benchmarks import engine

    log = folder / "sink.log"
    with counting_sink(log, faults=FAULTS, seed=seed) as sink, log.open() as lines:
        engine.lead_to(sink.port)
        engine.import_people(messages)
        delivery = engine.prepare(messages, sender_domain=SENDER_DOMAIN, retry_period=RETRY_PERIOD)
        node = Node("worker", PROCESSES, connections=CONNECTIONS)
        with lab.running(node) as programs:
            chaos = Chaos(node, programs, sink.port)
            kinds = chaos.kinds()
            due = plan(list(kinds), events, messages, seed)
            story: list[str] = []
            progress = Progress(lines)
            began = moved_at = time.monotonic()
            engine.start(delivery)
            while due or not engine.is_finished(delivery):
                time.sleep(LOOK_SECONDS)
                chaos.supervise()
                before = progress.taken
                if progress.look() > before:
                    moved_at = time.monotonic()
                if due and progress.taken >= due[0][0]:
                    _, name = due.pop(0)
                    with suppress(redis.RedisError, FileNotFoundError, IndexError):
                        kinds[name]()
                    story.append(f"{time.monotonic() - began:6.1f} s {progress.taken:7,} taken: {name}")
                    print(story[-1], flush=True)
                if time.monotonic() - moved_at > STALL_SECONDS:
                    print(f"Nothing moved for {STALL_SECONDS} seconds: {delivery.state_note}")
                    break
        states = engine.states_by_address(delivery)
    return judge(states, Arrivals.read(log), chaos.connections_killed), story


def main() -> int:
    """Run, print, write the report; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20, help="how many events, each kind in turn")
    parser.add_argument("--seed", type=int, default=1, help="order and moments of the events, and the server's faults")
    parser.add_argument("--folder", type=Path, default=lab.PROJECT / "var" / "chaos", help="emptied at the start")
    options = parser.parse_args()
    folder = options.folder.resolve()
    verdict, story = run(options.messages, options.kills, options.seed, folder)
    for name, value in asdict(verdict).items():
        print(f"{name.replace('_', ' '):22} {value}")
    path = folder.with_suffix(".json")
    report = {"seed": options.seed, "events": story, **asdict(verdict), "holds": verdict.holds}
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\n{'It holds' if verdict.holds else 'It does NOT hold'}; the report is {path}.")
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except BenchmarkProblem as problem:
        raise SystemExit(f"The run stopped: {problem}") from None
