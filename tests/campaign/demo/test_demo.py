"""The demo as a newcomer runs it: everything real, in a folder of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_it_sends_every_message_and_every_mirror_page_shows_its_mail(tmp_path: Path):
    cleared = {"DATABASE_URL": "", "REDIS_URL": "", "SECRET_KEY": "", "ALLOWED_HOSTS": "", "VAR_DIR": str(tmp_path)}

    demo = subprocess.run(
        [sys.executable, "-m", "campaign.demo", "--once", "--recipients", "40"],
        cwd=PROJECT,
        env={**os.environ, **cleared},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "“make run” serves these pages again" in demo.stdout
    report = json.loads((tmp_path / "demo.json").read_text())
    assert (report["recipients"], report["sent"], report["failed"]) == (40, 40, 0)
    assert set(report) == {"recipients", "sent", "failed", "seconds", "dashboard_url", "mirror_url"}
    assert len(list((tmp_path / "demo" / "mails").glob("*/*.eml"))) == 40


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="The kernel of Linux ends the children.")
def test_it_leaves_nothing_running_when_it_is_killed(tmp_path: Path):
    """Started like the demo's own processes, by a parent that dies without a word."""
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import sys, time; from pathlib import Path; from campaign.demo.processes import Processes\n"
                "processes = Processes(Path(sys.argv[1]), {})\n"
                "processes.start('sink', 'campaign.demo.sink', '--port', '0', '--folder', sys.argv[1])\n"
                "print(processes._running['sink'].pid, flush=True); time.sleep(60)"
            ),
            str(tmp_path),
        ],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()

    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
