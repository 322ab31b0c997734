"""Pytest plugin: the environment of the tests, set before Django's settings are read.

A developer's own variables and ``.env`` are overruled, so that no test ever touches a real database. Two runs at the
same time in one checkout need a folder each: name another one, ending in ``/test``, in TEST_VAR_DIR.
"""

import os
from pathlib import Path

from campaign.services import ensure

VAR_DIR = Path(os.environ.get("TEST_VAR_DIR") or Path(__file__).resolve().parent.parent / "var" / "test").resolve()


def _redis_number() -> int:
    """Each xdist worker has a Redis database of its own: ``gw0`` has 1, ``gw1`` has 2; without workers it is 0."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return int(worker.removeprefix("gw")) + 1 if worker else 0


_services = ensure(VAR_DIR)
os.environ.update(
    DATABASE_URL=_services.database,
    REDIS_URL=_services.redis.replace("?db=0", f"?db={_redis_number()}"),
    SECRET_KEY="for-tests-only-" + "0123456789abcdefghijklmnopqrstuvwxyz",
    SECRET_KEY_FALLBACKS="",
    VAR_DIR=str(VAR_DIR),
    PUBLIC_URL="http://testserver",
    ALLOWED_HOSTS="testserver",
    BEHIND_PROXY="false",
    DEBUG="false",
    ERROR_ADDRESS="bounces@example.com",
    LOG_LEVEL="WARNING",
)
