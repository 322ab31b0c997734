"""Processes that use the services, and what the kernel knows of them and of the servers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from campaign.env import BASE_DIR

CLIENT = """
import dataclasses, json, sys
from pathlib import Path
from campaign.services import ServiceProblem, ensure
try:
    print(json.dumps(dataclasses.asdict(ensure(Path(sys.argv[1])))), flush=True)
except ServiceProblem as problem:
    sys.exit(str(problem))
sys.stdin.read()
"""
GONE_SECONDS = 60


class Clients:
    """Processes that use the services of one VAR_DIR."""

    def __init__(self, var_dir: Path) -> None:
        self.var_dir = var_dir
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, program: str = CLIENT) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(self.var_dir)],
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def started(self, program: str = CLIENT) -> tuple[subprocess.Popen[str], dict[str, str]]:
        process = self.start(program)
        return process, answer(process)

    def end(self, process: subprocess.Popen[str]) -> None:
        process.communicate()

    def servers(self) -> set[str]:
        """Command lines of the keeper and the servers of this VAR_DIR that are alive."""
        return {line for line in command_lines().values() if str(self.var_dir) in line and "-c" not in line.split("\0")}

    def keepers(self) -> list[str]:
        return [line for line in self.servers() if "campaign.services.keeper" in line]

    def kill_keeper(self) -> None:
        # All of that name: the command that started the keeper may not have ended yet.
        for pid in self.pids("campaign.services.keeper"):
            os.kill(pid, signal.SIGKILL)

    def pid(self, word: str) -> int:
        return self.pids(word)[0]

    def pids(self, word: str) -> list[int]:
        return [pid for pid, line in command_lines().items() if word in line and str(self.var_dir) in line]


def command_lines() -> dict[int, str]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
    return found


def answer(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    urls: dict[str, str] = json.loads(line)
    return urls


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
