"""What the acts of a person take while a large delivery runs: ``python -m benchmarks.control [--messages 100000]``.

Beside the large delivery a small one of the same priority begins, and then an urgent one; the large one is paused,
resumed and stopped. Moments are those of the server's answers, from the log, in seconds from the act. Exits with 1 when
one of them lies beyond MOST_SECONDS, or the small delivery gets less than FAIR_SHARE beside the large one.
"""

import argparse
import time
from bisect import bisect
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import lab
from benchmarks.lab import BenchmarkProblem, Node
from benchmarks.sending import CONNECTIONS, PROCESSES
from benchmarks.servers import fast_sink

SMALL = 2_000
BEFORE = 5_000
"""Messages of the large delivery that have left before anything is done."""
MOST_SECONDS = 2.0
FAIR_SHARE = 0.4
"""Of what leaves while the small delivery runs beside the large one; half of it, less what was claimed before."""
QUIET_SECONDS = 3.0
PATIENCE_SECONDS = 120.0


def main() -> int:
    """Run, print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000, help="of the large delivery")
    parser.add_argument("--folder", type=Path, default=lab.PROJECT / "var" / "control", help="emptied at the start")
    options = parser.parse_args()
    lab.begin(options.folder.resolve())
    from benchmarks import engine
    from deliveries.actions.control import pause, resume, stop
    from deliveries.models import Delivery, Priority

    def sent_whole(delivery: Delivery) -> float:
        """Send it beside the large one; returns when it began."""
        began = time.time()
        engine.start(delivery)
        wait_until(lambda: len(engine.sent_at(delivery)) == delivery.to_deliver)
        return began

    with fast_sink(options.folder / "sink.log") as sink:
        engine.lead_to(sink.port)
        for people in (options.messages, SMALL):
            engine.import_people(people)
        large = engine.prepare(options.messages, sender_domain="large.example")
        small = engine.prepare(SMALL, sender_domain="small.example")
        urgent = engine.prepare(SMALL, sender_domain="urgent.example", priority=Priority.HIGH)
        with lab.running(Node("worker", PROCESSES, connections=CONNECTIONS)):
            engine.start(large)
            wait_until(lambda: len(engine.sent_at(large)) >= BEFORE)
            small_began, urgent_began = sent_whole(small), sent_whole(urgent)
            acts = {}
            for act in (pause, resume, stop):
                acts[act.__name__] = time.time()
                act(large)
                time.sleep(QUIET_SECONDS)
        of_large, of_small, of_urgent = map(engine.sent_at, (large, small, urgent))
    meanwhile = between(of_large, small_began, of_small[-1])
    share = SMALL / (SMALL + meanwhile)
    seconds = {
        "urgent, first message": of_urgent[0] - urgent_began,
        "pause, last message": last_before(of_large, acts["resume"]) - acts["pause"],
        "resume, first message": of_large[bisect(of_large, acts["resume"])] - acts["resume"],
        "stop, last message": of_large[-1] - acts["stop"],
    }
    for name, taken in seconds.items():
        print(f"{name:24}{max(taken, 0.0):8.2f} s")
    print(f"{'urgent, last of ' + format(SMALL, ','):24}{of_urgent[-1] - urgent_began:8.2f} s")
    print(f"{'small, last of ' + format(SMALL, ','):24}{of_small[-1] - small_began:8.2f} s", end="   ")
    print(f"({meanwhile:,} of the large one meanwhile: {share:.0%} for the small one)")
    good = max(seconds.values()) <= MOST_SECONDS and share >= FAIR_SHARE
    print(
        f"Every act takes effect within {MOST_SECONDS:g} s, and both get their share."
        if good
        else "Too slow, or unfair."
    )
    return 0 if good else 1


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when it holds. Raises :class:`BenchmarkProblem`."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise BenchmarkProblem(f"What was waited for did not happen within {PATIENCE_SECONDS:g} seconds.")
        time.sleep(0.1)


def between(moments: Sequence[float], first: float, last: float) -> int:
    """How many of these moments, in order, lie there."""
    return bisect(moments, last) - bisect(moments, first)


def last_before(moments: Sequence[float], at: float) -> float:
    """The last of these moments, in order, up to ``at``."""
    return moments[bisect(moments, at) - 1]


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except BenchmarkProblem as problem:
        raise SystemExit(f"The run stopped: {problem}") from None
