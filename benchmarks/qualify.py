"""How fast bounce mails are understood: ``python -m benchmarks.qualify PATH`` prints mails per second and core.

Every mail below the path is read into memory first; then each is parsed and judged, round after round, by one process.
The best round counts: two cores are shared by everything that runs beside. ``--profile`` names the slowest mails.
"""

import argparse
import json
import time
from pathlib import Path

from benchmarks.lab import PROJECT
from bounces.parsing import parse
from bounces.qualification import judge

ROUNDS = 7


def seconds(mails: list[bytes]) -> float:
    """Processor time for all mails in the best of :data:`ROUNDS` rounds."""
    return min(_round(mails) for _ in range(ROUNDS))


def _round(mails: list[bytes]) -> float:
    started = time.process_time()
    for raw in mails:
        judge(parse(raw))
    return time.process_time() - started


def slowest(mails: dict[str, bytes], count: int = 10) -> list[tuple[str, float]]:
    """The mails that take longest, with their milliseconds."""
    times = {name: seconds([raw]) * 1000 for name, raw in mails.items()}
    return sorted(times.items(), key=lambda item: -item[1])[:count]


def main() -> None:
    """Print a table and write ``var/bench-qualify.json``."""
    parser = argparse.ArgumentParser(description="Mails per second that are parsed and judged by one core.")
    parser.add_argument("path", type=Path, help="a directory of bounce mails")
    parser.add_argument("--profile", action="store_true", help="name the slowest mails as well")
    options = parser.parse_args()
    mails = {file.name: file.read_bytes() for file in sorted(options.path.rglob("*")) if file.is_file()}
    if not mails:
        parser.error(f"There is no mail in {options.path}.")
    best = seconds(list(mails.values()))
    octets = sum(map(len, mails.values()))
    result = {
        "mails": len(mails),
        "mean octets": octets // len(mails),
        "mails per second and core": round(len(mails) / best),
        "milliseconds per mail": round(best / len(mails) * 1000, 3),
    }
    for name, value in result.items():
        print(f"{name:<28}{value:>12,}")
    if options.profile:
        for name, cost in slowest(mails):
            print(f"  {cost:8.2f} ms  {name}")
    out = PROJECT / "var" / "bench-qualify.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
