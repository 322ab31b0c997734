import copy

import pytest
import yaml

from campaign.env import BASE_DIR
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


def test_it_finds_an_undeclared_volume_and_a_tagless_image(compose):
    compose["services"]["redis"] |= {"volumes": ["cache:/data"], "image": "redis"}

    assert list(complaints(compose)) == [
        "redis: its image has no tag.",
        "redis: its volume cache:/data is not declared.",
    ]
