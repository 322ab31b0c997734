"""Judge of ``docker-compose.yml`` that needs no Docker: ``python -m tests.compose``."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from campaign.env import BASE_DIR, Environment

SERVICE_KEYS = {
    *("build", "command", "depends_on", "environment", "healthcheck", "image", "ports", "restart", "shm_size"),
    *("profiles", "stop_grace_period", "volumes"),
}
CONDITIONS = {"service_healthy", "service_completed_successfully"}
HEALTH_CHECK_KEYS = {"test", "interval", "timeout", "retries", "start_period"}
DURATION = re.compile(r"(\d+(ms|s|m|h))+")
NOT_IN_CONTAINERS = {"DEBUG"}
"""Variables that containers do without: tracebacks are for a developer's own machine."""
NEEDED = {"web", "worker", "beat", "receive_bounces", "postgresql", "redis"}


def complaints(compose: Mapping[str, Any], folder: Path = BASE_DIR) -> Iterator[str]:
    """One sentence for each thing ``docker compose up`` would stumble over or run without."""
    services: Mapping[str, Any] = compose.get("services", {})
    for name in sorted(NEEDED - services.keys()):
        yield f"The service {name} is missing."
    for name, service in services.items():
        yield from (f"{name}: {complaint}." for complaint in _of_service(service, compose, folder))


def _of_service(service: Mapping[str, Any], compose: Mapping[str, Any], folder: Path) -> Iterator[str]:
    yield from (f"the key {key} is unknown" for key in service.keys() - SERVICE_KEYS)
    if "build" in service:
        if not (folder / service["build"] / "Dockerfile").is_file():
            yield "the folder it is built from has no Dockerfile"
        yield from _of_environment(service.get("environment", {}))
    elif ":" not in service.get("image", ""):
        yield "its image has no tag"
    for volume in service.get("volumes", []):
        if volume.split(":")[0] not in compose.get("volumes", {}):
            yield f"its volume {volume} is not declared"
    for needed, wait in service.get("depends_on", {}).items():
        if needed not in compose["services"] or wait.get("condition") not in CONDITIONS:
            yield f"it cannot wait for {needed}"
    yield from _of_health_check(service.get("healthcheck", {}))


def _of_environment(environment: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"nothing reads the variable {key}" for key in environment.keys() - Environment.model_fields.keys())
    missing = Environment.model_fields.keys() - environment.keys() - NOT_IN_CONTAINERS
    yield from (f"the variable {key} of .env does not reach it" for key in sorted(missing))
    yield from (f"the variable {key} is no text" for key, value in environment.items() if not isinstance(value, str))
    for key in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL"):
        if not environment.get(key):
            yield f"the variable {key} is not set"


def _of_health_check(check: Mapping[str, Any]) -> Iterator[str]:
    if check == {"disable": True}:
        return
    test = check.get("test", [])
    if not isinstance(test, list) or len(test) < 2 or test[0] not in {"CMD", "CMD-SHELL"}:
        yield "it has no health check"
    yield from (f"the key {key} of its health check is unknown" for key in check.keys() - HEALTH_CHECK_KEYS)
    for key in ("interval", "timeout", "start_period"):
        if key in check and not DURATION.fullmatch(str(check[key])):
            yield f"the {key} of its health check is no duration"


def main() -> None:
    """Exit with the complaints about the project's own file, if there are any."""
    found = list(complaints(yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())))
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    main()
