"""No check takes long for a content of the greatest length, whatever an author writes."""

import gc
import time

import pytest

from deliveries.analysis.checks import CHECKS, Phase
from deliveries.analysis.material import Material
from deliveries.models import Delivery
from deliveries.personalization.parse import MAX_SOURCE

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
    """Sixteen times the length may take sixteen times as long, on a busy machine four times that, not 256 times."""
    short, long = _seconds(piece, MAX_SOURCE // 80), _seconds(piece, MAX_SOURCE // 5)

    slow = {key: (short[key], long[key]) for key in long if long[key] > max(1.5, 64 * short[key])}
    assert not slow
    assert sum(long.values()) < 30


def _seconds(piece: str, length: int) -> dict[str, float]:
    """What each look at a content of that length takes of the processor, without the collection of garbage: that one
    grows with all that the tests before left behind."""
    gc.collect()
    gc.disable()
    try:
        return _seconds_without_collection(piece, length)
    finally:
        gc.enable()


def _seconds_without_collection(piece: str, length: int) -> dict[str, float]:
    written = piece * (length // len(piece))
    material = Material(Delivery(html=written, text=written, subject="Hello", language="en"))
    took = {}
    for name, look in (("reading", lambda: material.reading), ("links", lambda: material.links)):
        began = time.process_time()
        look()
        took[name] = time.process_time() - began
    for check in OFFLINE:
        began = time.process_time()
        list(check.function(material))
        took[check.key] = time.process_time() - began
    return took
