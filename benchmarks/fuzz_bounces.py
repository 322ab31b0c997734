"""Fuzz the reading of bounces, guided by coverage: ``make fuzz`` (``SECONDS=n``, ``SEEDS=directory of mails``).

Any bytes must give a report that can be judged, within a second. What fails is written to ``var/fuzz`` by the fuzzer.
Needs atheris (``requirements/fuzz.txt``), which exists for Linux on x86-64.
"""

import sys
import time

import atheris

with atheris.instrument_imports(include=["bounces"]):
    from bounces.parsing import parse
    from bounces.qualification import judge

MAX_SECONDS = 1.0


def one(raw: bytes) -> None:
    """Read one input; raises where it takes too long or gives no verdict for a finding."""
    started = time.process_time()
    report = parse(raw)
    if len(judge(report)) != len(report.recipients):
        raise AssertionError("A finding has no verdict.")
    if time.process_time() - started > MAX_SECONDS:
        raise AssertionError(f"Reading took more than {MAX_SECONDS} s.")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
