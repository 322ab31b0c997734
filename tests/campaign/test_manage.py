"""The command line as people meet it: a process, its output, its exit code."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from campaign.env import BASE_DIR

pytestmark = pytest.mark.slow

# Browser tests of the same process allow Django to be called beside Playwright's event loop; no deployment does.
INHERITED = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}


def manage(*arguments: str, options: Sequence[str] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=INHERITED | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_database_that_is_down_is_one_sentence():
    result = manage("migrate", DATABASE_URL="postgresql://me@127.0.0.1:1/none")

    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("The database cannot be reached (")
    assert '"127.0.0.1", port 1 failed: Connection refused' in result.stderr
    assert "DATABASE_URL" in result.stderr


def test_a_python_without_the_packages_is_told_which_one_has_them():
    result = manage("check_domain", "example.com", options=["-S"])  # without site-packages

    assert result.returncode == 1
    assert result.stderr.startswith(
        f"The project's packages are not installed for {sys.executable} (django is missing)."
    )
    assert result.stderr.strip().endswith(
        "They are in .venv: write .venv/bin/python manage.py check_domain example.com"
    )


def test_a_database_without_tables_is_one_sentence():
    result = manage("check_domain", "example.com")  # the tests' tables are in another database

    assert result.returncode == 1
    assert result.stderr == "The database lacks tables of this version. Make them: ./manage.py migrate\n"


def test_a_wrong_variable_is_one_sentence():
    result = manage("check", DEBUG="perhaps")

    assert result.returncode == 1
    assert result.stderr.startswith("The environment variable DEBUG cannot be used: it should be a valid boolean.")
    assert len(result.stderr.strip().splitlines()) == 1


def test_addresses_of_real_services_switch_the_own_ones_off(tmp_path: Path):
    result = manage("check", VAR_DIR=str(tmp_path))

    assert result.returncode == 0, result.stderr
    assert not (tmp_path / "services").exists()


def test_the_deployment_check_is_clean(tmp_path: Path):
    result = manage(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        PUBLIC_URL="https://news.example.com",
        SECRET_KEY="",
        VAR_DIR=str(tmp_path),
    )

    assert result.returncode == 0, result.stderr
