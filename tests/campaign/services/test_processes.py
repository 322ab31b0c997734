"""What a server may that root starts and that must not be root."""

import os
import pwd
import sys
from pathlib import Path

import pytest

from campaign.services.processes import run_as

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="Only root becomes somebody else, and only Linux leaves a right.",
)

LOOK = "import os, sys; sys.exit(0 if os.getuid() and os.access(sys.argv[1], os.X_OK) else 1)"


def test_a_server_finds_its_programs_in_a_folder_that_is_roots_alone(tmp_path: Path) -> None:
    closed = tmp_path / "root"
    closed.mkdir(mode=0o700)
    program = closed / "initdb"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    ended = run_as([sys.executable, "-c", LOOK, program], user=pwd.getpwnam("nobody"))

    assert ended.returncode == 0, ended.stderr
