"""Clicks and opens per second from a real web server: ``python -m benchmarks.tracking [--messages n] [--seconds n]``.

gunicorn as it is deployed, with one process on one core; wrk on another core asks for links and pixels of random
messages of the benchmarks' newsletter, first as fast as it can, then at half the target's rate. In the end the hits are
written to PostgreSQL, and every one that was answered must be there.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path

from benchmarks import lab
from benchmarks.lab import BenchmarkProblem, Program

TARGET = 1_500
"""Hits per second and core."""
CONNECTIONS = 32
SAMPLE = 20_000

_SCRIPT = """
local paths, seed = {}, 0
for line in io.lines(os.getenv("PATHS_FILE")) do paths[#paths + 1] = line end
local pause = tonumber(os.getenv("PAUSE_MS"))
math.randomseed(1)
function request() return wrk.format("GET", paths[math.random(#paths)]) end
function delay() return pause end
local wrong = 0
function response(status) if status ~= 200 and status ~= 302 then wrong = wrong + 1 end end
"""


def main() -> None:
    """Prepare a delivery, serve it, ask, count, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--application", default="campaign.wsgi", help="campaign.wsgi:django measures Django alone")
    options = parser.parse_args()
    if shutil.which("wrk") is None or shutil.which("taskset") is None:
        raise SystemExit("This needs wrk and taskset.")
    folder = lab.PROJECT / "var" / "bench"
    lab.begin(folder)
    (folder / "paths").write_text("\n".join(prepare(options.messages)) + "\n")
    (folder / "wrk.lua").write_text(_SCRIPT)
    port = 18_000 + random.SystemRandom().randrange(1_000)
    web = Program(
        "web", "gunicorn", options.application, "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4",
        PUBLIC_URL=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    web.start()
    try:
        wait_for(port, (folder / "paths").read_text().split()[0])
        pin(web, {0})
        figures = {
            "as fast as it can": ask(folder, port, options.seconds, pause_ms=0),
            "at half the target": ask(folder, port, options.seconds, pause_ms=CONNECTIONS * 1000 // (TARGET // 2)),
        }
    finally:
        web.stop()
    answered = 1 + sum(int(one["hits"]) for one in figures.values())
    written = {**write(), "answered": answered}
    print(json.dumps({**figures, "written": written}, indent=2))
    (folder.parent / "bench-tracking.json").write_text(json.dumps({**figures, "written": written}, indent=2) + "\n")
    if written["events"] < answered:
        raise BenchmarkProblem(f"{answered - written['events']} hits are missing.")


def prepare(messages: int) -> list[str]:
    """Paths of links and pixels of a delivery that has started; no worker runs."""
    from benchmarks import engine
    from campaign.lib.signing import link_prefix, link_suffix
    from deliveries.models import message_range
    from deliveries.rendering.tracking import PIXEL
    from deliveries.rows import renderer

    engine.import_people(messages)
    engine.lead_to(9)
    delivery = engine.prepare(messages, sender_domain="unsigned.example")
    engine.start(delivery)
    content = renderer(delivery.content_id or 0)
    first, _ = message_range(delivery.pk)
    lot = random.Random(1)
    kinds = [("o", PIXEL), *(("c", link) for link in content.links)]
    chosen = [(lot.randint(1, messages), *lot.choice(kinds)) for _ in range(SAMPLE)]
    return [
        f"/{kind}/{link_prefix(content.content_id, first + number, content.key)}{link_suffix(link, content.key)}"
        for number, kind, link in chosen
    ]


def wait_for(port: int, path: str) -> None:
    """Wait until the server answers. Raises :class:`BenchmarkProblem`."""
    deadline = time.monotonic() + lab.START_SECONDS
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            if connection.getresponse().status in {200, 302}:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise BenchmarkProblem("The web server does not answer.")


def pin(web: Program, cores: set[int]) -> None:
    """Keep the server's processes and their threads on these cores."""
    children = Path(f"/proc/{web.main.pid}/task/{web.main.pid}/children").read_text().split()
    for process in (web.main.pid, *map(int, children)):
        for thread in Path(f"/proc/{process}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)


def ask(folder: Path, port: int, seconds: int, *, pause_ms: int) -> dict[str, float]:
    """What wrk measures."""
    done = subprocess.run(
        [
            "taskset", "--cpu-list", "1", "wrk", "--threads", "1", "--connections", str(CONNECTIONS),
            "--duration", f"{seconds}s", "--latency", "--timeout", "5s", "--script", str(folder / "wrk.lua"),
            f"http://127.0.0.1:{port}",
        ],
        env={**os.environ, "PATHS_FILE": str(folder / "paths"), "PAUSE_MS": str(pause_ms)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise BenchmarkProblem(done.stdout)
    return {
        "hits": _number(r"(\d+) requests in", done.stdout),
        "per_second": _number(r"Requests/sec:\s+([\d.]+)", done.stdout),
        "median_ms": _milliseconds("50%", done.stdout),
        "p99_ms": _milliseconds("99%", done.stdout),
    }


def write() -> dict[str, float]:
    """Write everything that waits; how long that took, and what is in the log."""
    import redis
    from django.conf import settings

    from tracking.flush import flush
    from tracking.models import Event

    began = time.perf_counter()
    written = flush(redis.Redis.from_url(settings.REDIS_URL))
    seconds = time.perf_counter() - began
    return {"events": Event.objects.count(), "events_per_second": round(written / seconds, 1)}


def _number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    if match is None:
        raise BenchmarkProblem(text)
    return float(match[1])


def _milliseconds(name: str, text: str) -> float:
    match = re.search(rf"{name}\s+([\d.]+)(us|ms|s)", text)
    if match is None:
        raise BenchmarkProblem(text)
    return round(float(match[1]) * {"us": 0.001, "ms": 1, "s": 1000}[match[2]], 2)


if __name__ == "__main__":
    main()
