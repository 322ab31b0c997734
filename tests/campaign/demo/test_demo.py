"""The demo as a newcomer runs it: everything real, in a folder of its own."""

import json
import os
import subprocess
import sys
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
    report = json.loads((tmp_path / "demo.json").read_text())
    assert (report["recipients"], report["sent"], report["failed"]) == (40, 40, 0)
    assert set(report) == {"recipients", "sent", "failed", "seconds", "dashboard_url", "mirror_url"}
    assert len(list((tmp_path / "demo" / "mails").glob("*/*.eml"))) == 40
