"""The engine end to end: a delivery of the newsletter through real Celery workers into an SMTP sink, with references.

    python -m benchmarks.sending [--messages 20000] [--no-references]
    python -m benchmarks.sending --nodes 2                            the same work on one node and on two
    python -m benchmarks.sending --nodes 2 --latency-ms 50            the same where workers wait, whatever the cores
    python -m benchmarks.sending --latency-ms 50 --connections 40     a relay at that round trip time
    python -m benchmarks.sending --beside 20000 --messages 1000000    whether rate and memory stay the same

PostgreSQL, Redis, sink and workers share this machine. LISTMONK names a listmonk binary to compare with (see
benchmarks/listmonk.py). Figures are printed and written to var/bench*.json.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import lab
from benchmarks.lab import BenchmarkProblem, Cpu, Node
from benchmarks.servers import Server, counting_sink, fast_sink

CORES = os.cpu_count() or 1
PROCESSES = CORES + 1
"""As a worker has them without being told."""
CONNECTIONS = 40
WARM_UP = 1_000
WARM_UP_PART = 25
PARTS = 200
MOST_STEPS = 5_000
"""Messages of the single-process run that measures the steps, and of each reference."""
NAIVE_MESSAGES = 400
ROUNDS = 3
"""Of each rate. The middle one counts: what else runs on such a machine changes from minute to minute."""
UNSIGNED, SIGNED = "unsigned.example", "signed.example"

Figures = dict[str, Any]


def main() -> int:
    """Run what the options ask for; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--nodes", type=int, choices=(1, 2), default=1, help="2: compare one worker node with two")
    parser.add_argument("--beside", type=int, help="compare with deliveries of so many messages before and after")
    parser.add_argument("--latency-ms", type=float, default=0, help="round trip time to the relay")
    parser.add_argument(
        "--connections", type=int, default=CONNECTIONS, help="most connections to the relay, of both processes together"
    )
    parser.add_argument(
        "--references", action=argparse.BooleanOptionalAction, default=True, help="measure what others do as well"
    )
    parser.add_argument("--folder", type=Path, default=lab.PROJECT / "var" / "bench", help="emptied at the start")
    options = parser.parse_args()
    lab.begin(options.folder.resolve())
    if options.references:
        from benchmarks import references

        references.listmonk_program()  # better now than after minutes
    with ExitStack() as stack:
        log = options.folder / "sink.log"
        sink = stack.enter_context(
            counting_sink(log, delay_ms=options.latency_ms) if options.latency_ms else fast_sink(log)
        )
        _prepare({options.messages, options.beside or options.messages}, sink, options.connections)
        if options.beside:
            name, figures = "bench-flat", measure_flatness((options.beside, options.messages, options.beside))
        elif options.nodes > 1:
            name = "bench-nodes-latency" if options.latency_ms else "bench-nodes"
            figures = {"latency_ms": options.latency_ms, **measure_nodes(options.messages)}
        elif options.latency_ms:
            name = "bench-latency"
            figures = measure_latency(options.messages, options.connections, options.latency_ms)
        else:
            name = "bench"
            domains = sender_domains()
            rounds = ROUNDS if options.references else 1
            figures = measure_rates(options.messages, options.connections, domains, sink, rounds)
            figures["steps_cpu_ms"] = measure_steps(min(options.messages, MOST_STEPS), domains)
            if options.references:
                figures["references"].update(measure_references(sink, min(options.messages, MOST_STEPS)))
                figures["ratios"].update(ratios(figures))
    figures = {"cores": CORES, "sink": sink.name, **figures}
    path = options.folder.parent / f"{name}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n")
    show(figures)
    print(f"\nWritten to {path}.")
    return 0


def _prepare(counts: set[int], sink: Server, connections: int) -> None:
    from benchmarks import engine

    engine.lead_to(sink.port, connections)
    for count in counts | {WARM_UP}:
        engine.import_people(count)


def sender_domains() -> dict[str, str]:
    """What to measure and the sender's domain that makes it so: one without a DKIM key, one with an RSA-2048 key."""
    from django.core.management import call_command

    call_command("dkim_key", SIGNED, stdout=StringIO())
    return {"unsigned": UNSIGNED, "signed": SIGNED}


def measure_rates(messages: int, connections: int, domains: Mapping[str, str], sink: Server, rounds: int) -> Figures:
    """Messages per second, processor time by group of processes, peak memory, and growth of the database.

    Of several rounds the middle one. Each ends with RSA-2048 signatures alone, so that the two are of one minute.
    """
    from benchmarks import references

    node = Node("worker", PROCESSES, connections=connections)
    runs: dict[str, list[Figures]] = {name: [] for name in domains}
    bare: list[float] = []
    with lab.running(node):
        _warm_up()
        for _ in range(rounds):
            for name, domain in domains.items():
                runs[name].append(_measured_run(messages, domain, node, sink))
            bare.append(references.rsa_signatures(CORES))
        memory = _peak_memory(node)
    shares = [run["messages_per_second"] / rate for run, rate in zip(runs["signed"], bare, strict=True)]
    return {
        "messages": messages,
        "processes": PROCESSES,
        "rounds": rounds,
        **{name: sorted(found, key=_rate)[len(found) // 2] for name, found in runs.items()},
        "all_rounds": {name: ", ".join(f"{_rate(run):,.0f}" for run in found) for name, found in runs.items()},
        "peak_memory_mb": memory,
        "references": {"rsa_2048_signatures_per_second_two_cores": median(bare)},
        "ratios": {"signed / rsa_2048_signatures_per_second_two_cores, of one round": round(median(shares), 2)},
    }


def _measured_run(messages: int, domain: str, node: Node, sink: Server) -> Figures:
    from benchmarks import engine

    groups = {
        "benchmark": [os.getpid()],
        "workers": node.senders(),
        "postgresql": [engine.postmaster(), *lab.children(engine.postmaster())],
        "redis": [engine.redis_server()],
        "sink": [sink.pid],
    }
    bytes_before = engine.log_bytes()
    delivery = engine.prepare(messages, sender_domain=domain)
    cpu = Cpu(groups)
    run = engine.send(delivery, bytes_before=bytes_before)
    cpu_ms = cpu.per_message(messages)
    return {
        "messages_per_second": run.rate,
        "seconds": run.seconds,
        "database_bytes_per_message": run.database_bytes,
        "cpu_ms_per_message": cpu_ms,
        "messages_per_second_if_alone_at_most": round(CORES * 1000 / sum(cpu_ms.values()), 1),
        "cores_used_by_others": cpu.cores_of_others(),
    }


def _rate(run: Figures) -> float:
    return float(run["messages_per_second"])


def _peak_memory(node: Node) -> Figures:
    return {
        "worker main": lab.peak_memory(node.main.pid),
        **{f"worker {number}": lab.peak_memory(pid) for number, pid in enumerate(node.senders(), start=1)},
    }


def measure_flatness(counts: Sequence[int]) -> Figures:
    """Rate of, and the workers' peak memory after, deliveries of these sizes by the same processes."""
    from benchmarks import engine

    node = Node("worker", PROCESSES, connections=CONNECTIONS)
    figures: Figures = {}
    with lab.running(node):
        _warm_up()
        for number, messages in enumerate(counts, start=1):
            delivery = engine.prepare(messages, sender_domain=UNSIGNED)
            run = engine.send(delivery, bytes_before=engine.log_bytes())
            figures[f"{number}: {messages:,} messages"] = {
                "messages_per_second": run.rate,
                "seconds": run.seconds,
                "peak_memory_mb": _peak_memory(node),
            }
    return figures


def _warm_up() -> None:
    """Every sending process has its imports, its connections and the content's code behind it."""
    from benchmarks import engine

    delivery = engine.prepare(WARM_UP, sender_domain=UNSIGNED, part_size=WARM_UP_PART)
    engine.send(delivery, bytes_before=engine.log_bytes())


def measure_steps(messages: int, domains: Mapping[str, str]) -> Figures:
    """Milliseconds of processor time per message by step, of one process."""
    from benchmarks import engine, steps

    engine.import_people(messages)
    return {name: steps.measure(messages, sender_domain=domain) for name, domain in domains.items()}


def measure_nodes(messages: int) -> Figures:
    """The same delivery on one node of one process and on two such nodes."""
    from benchmarks import engine

    figures: Figures = {"messages": messages}
    part_size = max(messages // PARTS, WARM_UP_PART)  # enough parts for every connection of both nodes
    for count in (1, 2):
        nodes = [Node(f"node-{number}-of-{count}", 1, connections=CONNECTIONS // 2) for number in range(1, count + 1)]
        with lab.running(*nodes):
            _warm_up()
            delivery = engine.prepare(messages, sender_domain=UNSIGNED, part_size=part_size)
            run = engine.send(delivery, bytes_before=engine.log_bytes())
        figures[f"seconds_on_{count}"] = run.seconds
        figures[f"messages_per_second_on_{count}"] = run.rate
    return {**figures, "time_ratio": round(figures["seconds_on_2"] / figures["seconds_on_1"], 2)}


def measure_latency(messages: int, connections: int, latency_ms: float) -> Figures:
    """Messages per second to a relay that is far away."""
    from benchmarks import engine

    node = Node("worker", PROCESSES, connections=connections)
    with lab.running(node):
        _warm_up()
        run = engine.send(engine.prepare(messages, sender_domain=UNSIGNED), bytes_before=engine.log_bytes())
    return {
        "messages": messages,
        "latency_ms": latency_ms,
        "connections": connections,
        "seconds": run.seconds,
        "messages_per_second": run.rate,
        "messages_per_second_and_connection": round(run.rate / connections, 1),
    }


def measure_references(sink: Server, messages: int) -> Figures:
    """What else could do the job here, and what the machine can do at most; None where a program is missing."""
    from benchmarks import engine, references

    ours = [os.getpid(), sink.pid, engine.postmaster(), *lab.children(engine.postmaster())]
    cpu = Cpu({"references": ours})
    rates: Figures = {
        "rsa_2048_signatures_per_second_one_core": references.rsa_signatures(1),
        "smtp_source_to_sink": references.smtp_source(sink.port, messages),
        "naive_signed_one_process": references.naive(sink.port, NAIVE_MESSAGES, 1, signed=True),
        "naive_signed_two_processes": references.naive(sink.port, NAIVE_MESSAGES, 2, signed=True),
        "naive_unsigned_two_processes": references.naive(sink.port, NAIVE_MESSAGES, 2, signed=False),
        "django_post_office_unsigned_two_processes": references.post_office(sink.port, min(messages, 1_000)),
        "listmonk_unsigned": references.listmonk_campaign(sink.port, messages),
    }
    return {**rates, "cores_used_by_others": cpu.cores_of_others()}


def ratios(figures: Figures) -> Figures:
    """Ours over theirs; above 1 we are faster."""
    references: Mapping[str, float | None] = figures["references"]
    ours = {name: figures[name]["messages_per_second"] for name in ("unsigned", "signed") if name in figures}
    pairs = (
        ("signed", "naive_signed_one_process"),
        ("signed", "naive_signed_two_processes"),
        ("unsigned", "naive_unsigned_two_processes"),
        ("unsigned", "smtp_source_to_sink"),
        ("unsigned", "django_post_office_unsigned_two_processes"),
        ("unsigned", "listmonk_unsigned"),
    )
    return {
        f"{mine} / {theirs}": round(ours[mine] / reference, 2)
        for mine, theirs in pairs
        if mine in ours and (reference := references[theirs])
    }


def show(figures: Figures, indent: int = 0) -> None:
    """Print figures as a table, one line each."""
    for name, value in figures.items():
        label = " " * indent + name.replace("_", " ")
        if isinstance(value, dict):
            print(label)
            show(value, indent + 2)
        else:
            shown = "not given" if value is None else f"{value:,}" if isinstance(value, int | float) else value
            print(f"{label:60} {shown:>12}")


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except BenchmarkProblem as problem:
        raise SystemExit(f"The benchmark stopped: {problem}") from None
