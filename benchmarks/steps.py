"""Where the processor time of one worker goes, step by step: ``python -m benchmarks.steps [--profile FILE]``.

The worker's own loop runs in this process with a stopwatch around the functions in STEPS. The time of a function is its
own, without that of the steps it calls. The stopwatch costs about 1 µs a call, which the figures contain.
"""

import argparse
import cProfile
import functools
import json
import pkgutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import lab
from benchmarks.servers import fast_sink

STEPS: tuple[tuple[str, str], ...] = (
    ("claim", "deliveries.sending.parts:claim"),
    ("claim", "deliveries.sending.worker:pending_rows"),
    ("loop", "deliveries.sending.worker:Worker._mails"),
    ("render", "deliveries.rendering.merge:Renderer.draft"),
    ("render", "deliveries.rendering.merge:Renderer.signed"),
    ("encode", "deliveries.rendering.encode:base64_body"),
    ("encode", "deliveries.rendering.encode:address_header"),
    ("encode", "deliveries.rendering.encode:header"),
    ("encode", "deliveries.rendering.mime:Skeleton.fill"),
    ("sign", "deliveries.rendering.dkim:signatures"),
    ("transmit", "deliveries.sending.transport:Connection.send"),
    ("record", "deliveries.sending.journal:Journal.handing_over"),
    ("record", "deliveries.sending.journal:Journal.outcome"),
    ("record", "deliveries.sending.journal:Journal.clear"),
    ("record", "deliveries.sending.outcomes:of_reply"),
    ("record", "deliveries.sending.outcomes:record"),
    ("record", "deliveries.sending.parts:renew"),
    ("record", "deliveries.sending.parts:give_back"),
)
"""Step and function. What none of them covers is the step *loop*. A rename of one of them fails the benchmark."""

GENERATORS = frozenset({"pending_rows", "_mails", "send"})
OUTSIDE = "loop"


class Stopwatch:
    """Processor seconds by step; steps inside steps are taken out of the outer one."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._open = [OUTSIDE]
        self._since = time.process_time()

    def _charge(self) -> None:
        now = time.process_time()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Charge what happens inside to ``name``."""
        self._charge()
        self._open.append(name)
        try:
            yield
        finally:
            self._charge()
            self._open.pop()

    def call(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, charged to ``name``."""

        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            self._charge()
            self._open.append(name)
            try:
                return function(*arguments, **named)
            finally:
                self._charge()
                self._open.pop()

        return timed

    def iterate(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that gives an iterator, whose steps are charged to ``name``."""

        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Iterator[Any]:
            iterator = iter(function(*arguments, **named))
            advance = self.call(name, lambda: next(iterator, END))
            while (item := advance()) is not END:
                yield item

        return timed


END = object()


@contextmanager
def watched(watch: Stopwatch) -> Iterator[None]:
    """Inside the block every function in STEPS is charged to its step."""
    with ExitStack() as stack:
        for step, place in STEPS:
            owner_name, _, name = place.replace(":", ".").rpartition(".")
            owner = pkgutil.resolve_name(owner_name)
            function = getattr(owner, name)
            wrap = watch.iterate if name in GENERATORS else watch.call
            stack.enter_context(mock.patch.object(owner, name, wrap(step, function)))
        yield


def measure(people: int, *, sender_domain: str, profile: Path | None = None) -> dict[str, float]:
    """Milliseconds of processor time per message by step, of one worker in this process.

    No other worker may run. With ``profile`` the times are Python's profiler's business, which writes them there.
    """
    from benchmarks import engine
    from campaign.lib.clock import now
    from deliveries.analysis.freeze import MOST_IN_A_PART
    from deliveries.sending.worker import Worker

    worker = Worker()
    try:
        # In parts as large as those of a large delivery: what is done once a part is told as it is there.
        prepare = partial(engine.prepare, people, sender_domain=sender_domain, part_size=MOST_IN_A_PART)
        engine.start(prepare())  # imports, connections and caches
        worker.work(until=now() + timedelta(hours=1))
        delivery = prepare()
        engine.start(delivery)
        if profile:
            with cProfile.Profile() as profiler:
                worker.work(until=now() + timedelta(hours=1))
            profiler.dump_stats(profile)
            return {}
        watch = Stopwatch()
        with watched(watch), watch.step(OUTSIDE):
            worker.work(until=now() + timedelta(hours=1))
        engine.expect_all_sent(delivery)
    finally:
        worker.close()
    steps = {step: round(seconds * 1000 / people, 4) for step, seconds in watch.seconds.items()}
    return {**steps, "all": round(sum(steps.values()), 4)}


def main() -> None:
    """Print the milliseconds per message, or write a profile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--profile", type=Path, help="file for Python's profiler (read it with python -m pstats)")
    options = parser.parse_args()
    folder = lab.PROJECT / "var" / "bench"
    lab.begin(folder)
    from benchmarks import engine

    with fast_sink(folder / "sink.log") as sink:
        engine.import_people(options.messages)
        engine.lead_to(sink.port)
        steps = measure(options.messages, sender_domain="unsigned.example", profile=options.profile)
    print(json.dumps(steps, indent=2))


if __name__ == "__main__":
    main()
