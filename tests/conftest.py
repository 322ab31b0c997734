"""Fixtures every test may use."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

# How long an example takes says how busy the machine is. A test about time names its own deadline.
hypothesis.settings.register_profile("tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database of the tests. A server that still answers a browser which is gone, or the session of a process that
    was killed, must not keep it from being dropped."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium: the one CHROMIUM names, else the system's; the test is skipped where there is none."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("No Chromium: install it, or set CHROMIUM to its path.")
    return found


@pytest.fixture(autouse=True)
def media(settings, tmp_path: Path) -> Path:
    """Uploaded files of one test are gone with it."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"
