"""Mirror pages per second from a real web server: ``python -m benchmarks.mirror [--messages 20000] [--seconds 15]``.

Pages of random messages of one delivery of the benchmarks' newsletter, over kept connections from two client processes
that share the cores with web server and database. Every answer is checked: 200, and HTML to its end.
"""

import argparse
import json
import multiprocessing
import random
import time
from http.client import HTTPConnection
from statistics import quantiles

from benchmarks import lab
from benchmarks.lab import BenchmarkProblem, Program

WEB_PROCESSES = 2
CLIENTS = 2
CONNECTIONS = 4
"""Of each client process, one after the other in a thread of its own."""
SAMPLE = 20_000
"""Addresses that the clients draw from, themselves drawn from the whole delivery."""


def main() -> None:
    """Prepare a delivery, serve it, ask for its pages, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parser.parse_args()
    folder = lab.PROJECT / "var" / "bench"
    lab.begin(folder)
    paths = prepare(options.messages)
    port = 18_000 + random.SystemRandom().randrange(1_000)
    web = Program(
        "web", "gunicorn", "campaign.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", str(WEB_PROCESSES),
        "--threads", "4", "--worker-class", "gthread", PUBLIC_URL=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    web.start()
    try:
        wait_for(port, paths[0])
        figures = {"messages": options.messages, **measure(port, paths, options.seconds)}
    finally:
        web.stop()
    print(json.dumps(figures, indent=2))
    (folder.parent / "bench-mirror.json").write_text(json.dumps(figures, indent=2) + "\n")


def prepare(messages: int) -> list[str]:
    """Paths of mirror pages of a delivery that has started and sends nothing: no worker runs."""
    from benchmarks import engine
    from campaign.lib.signing import MIRROR, token
    from deliveries.models import message_range

    engine.import_people(messages)
    engine.lead_to(9)
    delivery = engine.prepare(messages, sender_domain="unsigned.example", mirror_mode="force")
    engine.start(delivery)
    content = delivery.content
    assert content is not None
    first, _ = message_range(delivery.pk)
    numbers = random.Random(1).choices(range(1, messages + 1), k=min(messages, SAMPLE))
    return [f"/m/{token(MIRROR, content.pk, first + number, bytes(content.key))}" for number in numbers]


def wait_for(port: int, path: str) -> None:
    """Wait until the server answers with a page. Raises :class:`BenchmarkProblem`."""
    deadline = time.monotonic() + lab.START_SECONDS
    while time.monotonic() < deadline:
        try:
            _ask(HTTPConnection("127.0.0.1", port, timeout=10), path)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise BenchmarkProblem("The web server does not answer.")


def measure(port: int, paths: list[str], seconds: float) -> dict[str, float]:
    """Pages per second and how long they took."""
    with multiprocessing.get_context("spawn").Pool(CLIENTS * CONNECTIONS) as pool:
        jobs = [(port, paths, seconds, seed) for seed in range(CLIENTS * CONNECTIONS)]
        began = time.perf_counter()
        times = sorted(took for found in pool.starmap(_client, jobs, chunksize=1) for took in found)
        lasted = time.perf_counter() - began
    cuts = quantiles(times, n=100)
    return {
        "pages": len(times),
        "pages_per_second": round(len(times) / seconds, 1),
        "seconds_with_start_of_clients": round(lasted, 1),
        "median_ms": round(cuts[49] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
    }


def _client(port: int, paths: list[str], seconds: float, seed: int) -> list[float]:
    chance = random.Random(seed)
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    _ask(connection, paths[0])
    times = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        _ask(connection, chance.choice(paths))
        times.append(time.perf_counter() - began)
    return times


def _ask(connection: HTTPConnection, path: str) -> None:
    connection.request("GET", path, headers={"Host": "127.0.0.1"})
    answer = connection.getresponse()
    page = answer.read()
    if answer.status != 200 or not page.endswith(b"</html>\n"):
        raise BenchmarkProblem(f"{path} was answered {answer.status}.")


if __name__ == "__main__":
    main()
