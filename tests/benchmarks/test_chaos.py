"""What `make chaos` says must be able to be bad news."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.chaos import Arrivals, judge, plan

PROJECT = Path(__file__).resolve().parents[2]
ANNA, BERT = ("<1@mail.example.com>", "anna@example.com"), ("<2@mail.example.com>", "bert@example.com")


def arrivals(*taken: tuple[str, str], dropped: dict[str, int] | None = None) -> Arrivals:
    return Arrivals(Counter(taken), frozenset(), Counter(dropped or {}))


def test_it_holds_when_every_message_that_was_sent_arrived_once():
    verdict = judge({"anna@example.com": "SENT", "bert@example.com": "FAILED"}, arrivals(ANNA), 0)

    assert verdict.holds
    assert (verdict.arrived, verdict.states) == (1, {"SENT": 1, "FAILED": 1})


@pytest.mark.parametrize(
    ("states", "taken", "counted"),
    [
        ({"anna@example.com": "SENT", "bert@example.com": "SENT"}, [ANNA], "lost"),
        ({"anna@example.com": "SENT", "bert@example.com": "PENDING"}, [ANNA], "lost"),
        ({"anna@example.com": "SENT"}, [ANNA, ANNA], "repeated"),
        ({"anna@example.com": "SENT", "bert@example.com": "FAILED"}, [ANNA, BERT], "wrong"),
        ({"anna@example.com": "SENT"}, [ANNA, BERT], "wrong"),
    ],
)
def test_it_does_not_hold_when_log_and_arrivals_differ(
    states: dict[str, str], taken: list[tuple[str, str]], counted: str
):
    verdict = judge(states, arrivals(*taken), connections_killed=9)

    assert not verdict.holds
    assert {name: getattr(verdict, name) for name in ("lost", "repeated", "wrong")} == {
        "lost": 0,
        "repeated": 0,
        "wrong": 0,
        counted: 1,
    }


@pytest.mark.parametrize(
    ("connections_killed", "dropped", "holds"),
    [(0, {}, False), (1, {}, True), (0, {"END": 1}, True), (0, {"BODY": 1}, True), (0, {"MAIL": 1}, False)],
)
def test_it_allows_one_message_in_doubt_for_each_connection_killed_or_dropped_after_content(
    connections_killed: int, dropped: dict[str, int], *, holds: bool
):
    verdict = judge({"anna@example.com": "IN_DOUBT"}, arrivals(ANNA, dropped=dropped), connections_killed)

    assert verdict.holds is holds


def test_it_plans_the_same_events_for_the_same_seed_all_before_the_end():
    kinds = ["one", "two", "three"]

    events = plan(kinds, 20, 20_000, seed=7)

    assert events == plan(kinds, 20, 20_000, seed=7) != plan(kinds, 20, 20_000, seed=8)
    assert {name for _, name in events} == set(kinds)
    assert [after for after, _ in events] == sorted(after for after, _ in events)
    assert 0 < events[0][0] < events[-1][0] < 20_000


@pytest.mark.slow
def test_it_loses_and_repeats_nothing_while_a_worker_is_killed(tmp_path: Path):
    command = [sys.executable, "-m", "benchmarks.chaos", "--messages", "300", "--kills", "1", "--seed", "3"]

    chaos = subprocess.run(
        [*command, "--folder", str(tmp_path / "chaos")],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert chaos.returncode == 0, chaos.stdout + chaos.stderr
    assert '"holds": true' in (tmp_path / "chaos.json").read_text()
