import copy
import re

import pytest
import yaml

from campaign.env import BASE_DIR, Environment
from tests.compose import complaints


@pytest.fixture
def compose() -> dict:
    return copy.deepcopy(yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text()))


def test_our_file_has_nothing_to_complain_about(compose):
    assert list(complaints(compose)) == []


def test_it_misses_a_service(compose):
    del compose["services"]["beat"]

    assert list(complaints(compose)) == ["The service beat is missing."]


def test_it_misses_a_health_check(compose):
    del compose["services"]["redis"]["healthcheck"]

    assert list(complaints(compose)) == ["redis: it has no health check."]


def test_it_finds_a_variable_nothing_reads(compose):
    compose["services"]["web"]["environment"] = compose["services"]["web"]["environment"] | {"SECRET": "x"}

    assert list(complaints(compose)) == ["web: nothing reads the variable SECRET."]


def test_it_finds_a_variable_of_env_that_a_container_would_not_see(compose):
    environment = dict(compose["services"]["worker"]["environment"])
    del environment["KEEP_LOG"]
    compose["services"]["worker"]["environment"] = environment

    assert list(complaints(compose)) == ["worker: the variable KEEP_LOG of .env does not reach it."]


def test_what_env_leaves_out_is_in_a_container_as_it_is_without_one(compose, monkeypatch):
    for name in Environment.model_fields:
        monkeypatch.delenv(name, raising=False)
    plain = Environment(_env_file=None)
    for name, value in compose["services"]["web"]["environment"].items():
        if default := re.fullmatch(r"\$\{\w+:-(.*)\}", value):
            monkeypatch.setenv(name, default[1])

    assert Environment(_env_file=None) == plain


def test_it_finds_an_undeclared_volume_and_a_tagless_image(compose):
    compose["services"]["redis"] |= {"volumes": ["cache:/data"], "image": "redis"}

    assert list(complaints(compose)) == [
        "redis: its image has no tag.",
        "redis: its volume cache:/data is not declared.",
    ]
