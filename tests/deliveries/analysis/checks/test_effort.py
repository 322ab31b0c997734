"""No check takes long for a content of the greatest length, whatever an author writes."""

from collections.abc import Callable
from functools import partial

import pytest

from deliveries.analysis.checks import CHECKS, Check, Phase
from deliveries.analysis.material import Material
from deliveries.models import Delivery
from deliveries.personalization.parse import MAX_SOURCE
from tests.effort import SHORTER, grows_too_fast, processor_seconds

OFFLINE = [
    check
    for check in CHECKS.values()
    if check.phase is Phase.CONTENT
    and check.function.__module__.rpartition(".")[2] in {"accessibility", "body", "clients", "links", "unsubscription"}
] + [CHECKS[key] for key in ("images_are_shown", "images_have_alt_texts", "images_have_sizes", "content_has_words")]

PIECES = [
    '<a href="https://x.example/">here</a>', "<a href=/>", '<img src="/a.png">', "<th><table>", "<h3>",
    "<div style='color:#999'>x", "<p style=color-scheme:dark;>", "<style>a{color:red}", "<style>", "<!--", "<a ",
    "position :", "message ", "{ ", "\ue000", "color-scheme:", "https://", "http:" + "/" * 50,
    "<meta name=color-scheme content=dark>", "<td background=x bgcolor=#eee>",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_its_time_grows_with_the_length_of_hostile_content_only(piece: str):
    length = MAX_SOURCE // 5
    short, long = _seconds(piece, length // SHORTER), _seconds(piece, length)

    assert not {key: (short[key], long[key]) for key in long if grows_too_fast(short[key], long[key])}
    assert sum(long.values()) < 30


def _seconds(piece: str, length: int) -> dict[str, float]:
    """What each look at a content of that length takes."""
    written = piece * (length // len(piece))
    material = Material(Delivery(html=written, text=written, subject="Hello", language="en"))
    looks: dict[str, Callable[[], object]] = {"reading": lambda: material.reading, "links": lambda: material.links}
    for check in OFFLINE:
        looks[check.key] = partial(_carry_out, check, material)
    return {name: processor_seconds(look) for name, look in looks.items()}


def _carry_out(check: Check, material: Material) -> None:
    list(check.function(material))
