"""The documentation says what is true, where that can be checked."""

import re
from pathlib import Path

import pytest

from campaign.env import Environment

PROJECT = Path(__file__).resolve().parents[2]
PAGES = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES += sorted((PROJECT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_links_lead_somewhere(page: Path):
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page.read_text()) if "://" not in link]

    assert [link for link in links if not (page.parent / link.partition("#")[0]).exists()] == []


def test_it_names_every_environment_variable_and_no_other():
    guide = (PROJECT / "docs" / "operators-guide.md").read_text()
    section = guide.partition("## Environment variables")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `([A-Z_]+)`", section, re.MULTILINE)) == set(Environment.model_fields)


def test_it_names_files_that_exist():
    architecture = (PROJECT / "docs" / "architecture.md").read_text()

    named = re.findall(r"`((?:campaign|deliveries|mirror|recipients|tracking)/[\w/]+\.\w+)`", architecture)

    assert named
    assert [name for name in named if not (PROJECT / name).exists()] == []
