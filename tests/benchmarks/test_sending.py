"""A small run of `make bench`: it fits the engine it measures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_it_measures_rates_steps_memory_and_bytes(tmp_path: Path):
    command = [sys.executable, "-m", "benchmarks.sending", "--messages", "300", "--no-references"]

    bench = subprocess.run(
        [*command, "--folder", str(tmp_path / "bench")],
        cwd=PROJECT,
        env={**os.environ, "SMTP_SINK": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert bench.returncode == 0, bench.stdout + bench.stderr
    figures = json.loads((tmp_path / "bench.json").read_text())
    assert figures["sink"] == "benchmarks.sink"
    assert figures["unsigned"]["messages_per_second"] > 0 < figures["signed"]["messages_per_second"]
    assert figures["unsigned"]["database_bytes_per_message"]["all"] > 0
    assert {"claim", "render", "encode", "transmit", "record", "loop", "all"} <= set(
        figures["steps_cpu_ms"]["unsigned"]
    )
    assert figures["steps_cpu_ms"]["signed"]["sign"] > 0
    workers = {f"worker {number}" for number in range(1, figures["processes"] + 1)}
    assert set(figures["peak_memory_mb"]) == {"worker main", *workers}
