"""What recipients read, in their language: one file a language, every one with the same sentences.

A language is added by a file; a test compares it with the English one.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from django.utils.html import format_html
from django.utils.safestring import SafeString

FALLBACK = "en"


class Words:
    """The sentences of one language."""

    def __init__(self, language: str, sentences: Mapping[str, str]) -> None:
        self.language = language
        self.sentences = sentences

    def html(self, name: str, **values: object) -> SafeString:
        """A sentence with its values, which are escaped."""
        return format_html(self.sentences[name], **values) if values else format_html("{}", self.sentences[name])

    def text(self, name: str, **values: object) -> str:
        """The same as plain text."""
        return self.sentences[name].format(**values)


@cache
def languages() -> Mapping[str, Words]:
    """Every language there is, by its code."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return {path.stem: Words(path.stem, tomllib.loads(path.read_text(encoding="utf-8"))) for path in files}


def words(wanted: Iterable[str]) -> Words:
    """The first of the wanted languages (BCP 47, such as ``fr-CA``; the best first) that there is, else English."""
    known = languages()
    for tag in wanted:
        primary = tag.strip().replace("_", "-").partition("-")[0].lower()
        if primary in known:
            return known[primary]
    return known[FALLBACK]


def accepted(header: str) -> list[str]:
    """The languages of an ``Accept-Language`` header (RFC 9110, section 12.5.4), the best first."""
    found = []
    for place, item in enumerate(header[:500].split(",")):
        tag, _, weight = item.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight.strip() else 1.0
        except ValueError:
            continue
        if tag.strip() and 0 < quality <= 1:
            found.append((-quality, place, tag.strip()))
    return [tag for _, _, tag in sorted(found)]
