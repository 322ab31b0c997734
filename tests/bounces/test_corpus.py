"""The shared corpus of real bounces, through the scorer that comes with it; skipped where it is not at hand."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command

CORPUS = Path(__file__).parents[3] / "shared" / "bounces"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not part of the repository")


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    predictions = tmp_path_factory.mktemp("corpus") / "predictions.jsonl"
    with predictions.open("w", encoding="utf-8") as out:
        call_command("qualify", str(CORPUS / "mails"), "--json", "--dry-run", stdout=out)
    return dict(_scorer().score(_objects(CORPUS / "labels.jsonl"), _objects(predictions))[0])


def _objects(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bounce_scorer", CORPUS / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_finds_the_recipients(scores: dict[str, int]) -> None:
    assert scores["tp"] / scores["rcpt"] >= 0.99
    assert (scores["tp"] + scores["fb_tp"]) / scores["precision_den"] >= 0.99


def test_it_gives_the_right_type_and_reason(scores: dict[str, int]) -> None:
    assert scores["type_ok"] / scores["type_all"] >= 0.96
    assert scores["adobe_ok"] / scores["adobe_n"] >= 0.95


def test_it_takes_nothing_else_for_a_bounce(scores: dict[str, int]) -> None:
    assert scores.get("false_bounce", 0) == 0
    assert scores.get("errors", 0) == 0
    assert scores.get("missing", 0) == 0
