"""The SMTP servers that the benchmarks send to, each in a process of its own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: what people call it, its port on the loopback, its process."""

    name: str
    port: int
    pid: int


def postfix_program(name: str) -> str | None:
    """Postfix's ``smtp-sink`` or ``smtp-source``: beside the program that SMTP_SINK names, or installed."""
    if named := os.environ.get("SMTP_SINK"):
        beside = Path(named).with_name(name)
        return str(beside) if beside.exists() else None
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


@contextmanager
def postfix_sink(program: str) -> Iterator[Server]:
    """Postfix's smtp-sink, which throws everything away."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    account = ("-u", "nobody") if os.geteuid() == 0 else ()
    with subprocess.Popen([program, *account, f"127.0.0.1:{port}", "200"]) as process:
        time.sleep(0.5)
        try:
            yield Server("postfix smtp-sink", port, process.pid)
        finally:
            process.terminate()


@contextmanager
def demo_sink() -> Iterator[Server]:
    """The demo's sink, which writes a file of each message."""
    with tempfile.TemporaryDirectory() as folder, _own("campaign.demo.sink", "--folder", folder) as server:
        yield server


@contextmanager
def counting_sink(
    log: Path,
    *,
    delay_ms: float = 0,
    jitter_ms: float = 0,
    faults: float = 0,
    seed: int = 1,
    without: Sequence[str] = (),
    moments: Path | None = None,
) -> Iterator[Server]:
    """The benchmarks' own sink, which writes a line of each message (see benchmarks/sink.py)."""
    manners = (f"--delay-ms={delay_ms}", f"--jitter-ms={jitter_ms}", f"--faults={faults}", f"--seed={seed}")
    others = [f"--without={extension}" for extension in without]
    if moments is not None:
        others.append(f"--moments={moments}")
    with _own("benchmarks.sink", "--log", str(log), *manners, *others) as server:
        yield server


@contextmanager
def _own(module: str, *options: str) -> Iterator[Server]:
    with subprocess.Popen([sys.executable, "-m", module, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(module, int(process.stdout.readline()), process.pid)
        finally:
            process.terminate()


@contextmanager
def fast_sink(log: Path) -> Iterator[Server]:
    """Postfix's smtp-sink where there is one, else the counting sink."""
    program = postfix_program("smtp-sink")
    with postfix_sink(program) if program else counting_sink(log) as server:
        yield server
