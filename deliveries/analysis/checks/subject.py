"""The subject, and the sender name beside it in every list of messages."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from deliveries.analysis.checks.registry import Phase, check
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel

LONGEST: Final = 60
"""Characters. A phone shows 30 to 50 of a subject, a mailbox on a screen about 60."""

_HOLE = re.compile(r"\s[,;.:!?](?:\s|$)|(?<=\S)[ \t]{2,}(?=\S)|^[,;.:!?]|\b(?:None|null|nan|undefined)\b")
_SHOUTING_MARKS = re.compile(r"[!?]{2,}|[$€£]{2,}")
_MISREAD = re.compile(r"Ã[\u0080-\u00bf]|â€|Â[\u00a0-\u00bf]")
"""What UTF-8 looks like when it was read as Windows-1252."""
_ANSWER = re.compile(r"\s*(?:re|fwd?|aw|wg|tr|rv)\s*:", re.IGNORECASE)
_LEAST_SHOUTED: Final = 12
_MOST_SYMBOLS: Final = 3


@check("Subject", order=10, level=CheckLevel.ERROR)
def subject_is_present(material: Material) -> Iterator[str]:
    """A mail without subject reads as spam and is refused by some servers."""
    if not material.delivery.subject.strip():
        yield "The subject is missing. Write one in the field “Subject”."


@check("Odd characters in subject and sender name", order=11)
def subject_has_no_odd_characters(material: Material) -> Iterator[str]:
    """Spam filters look for them, and some mail programs show boxes instead."""
    delivery = material.delivery
    for where, written in (("subject", delivery.subject), ("sender name", delivery.sender_name)):
        for what in _oddities(written):
            yield f"In the {where}, {what}"


def _oddities(written: str) -> Iterator[str]:
    named = ", ".join(dict.fromkeys(_name(character) for character in written if _is_unseen(character)))
    if named:
        yield f"there are characters that nobody sees: {named}. Delete them; they often come from pasting."
    if "\N{REPLACEMENT CHARACTER}" in written or _MISREAD.search(written):
        yield "characters were read in the wrong encoding. Write the broken words again."
    if marks := _SHOUTING_MARKS.search(written):
        yield f"“{marks[0]}” looks like spam. One mark is enough."
    if _is_shouted(written):
        yield "everything is in capitals, which looks like spam. Write it in small letters."
    if sum(unicodedata.category(character) == "So" for character in written) > _MOST_SYMBOLS:
        yield f"there are more than {_MOST_SYMBOLS} symbols. Filters count them; keep one or two."
    if _ANSWER.match(written):
        yield "the beginning pretends to be an answer or a forwarded message. Filters take that for deceit; remove it."


def _is_unseen(character: str) -> bool:
    if character in "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}":  # emoji and some scripts are made with them
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Co", "Zl", "Zp"}


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, 'control character').lower()}"


def _is_shouted(written: str) -> bool:
    letters = [character for character in re.sub(r"\{.*?\}+", "", written) if character.isalpha()]
    return len(letters) >= _LEAST_SHOUTED and all(character.isupper() for character in letters)


@check("Length of the subject", order=101, level=CheckLevel.INFO, phase=Phase.MESSAGES)
def subject_is_short(material: Material) -> Iterator[str]:
    """What is cut off is not read: phones show 30 to 50 characters, mailboxes on a screen about 60."""
    subjects = material.sample.subjects
    if long := [subject for subject in subjects if len(subject) > LONGEST]:
        yield (
            f"The subject has more than {LONGEST} characters in {_share(long, subjects)}, such as "
            f"“{max(long, key=len)}” ({max(map(len, long))}). Put what matters first, or shorten it."
        )


@check("Subject for everybody", order=102, phase=Phase.MESSAGES)
def subject_reads_well_for_everybody(material: Material) -> Iterator[str]:
    """A missing value leaves a hole that shows that a machine wrote."""
    subjects = material.sample.subjects
    if broken := [subject for subject in subjects if _HOLE.search(subject) or subject != subject.strip()]:
        yield (
            f"The subject has a hole where a value is missing in {_share(broken, subjects)}, such as “{broken[0]}”. "
            "Use |default('…') or put the words around the field into {% if … %}."
        )
    if empty := [subject for subject in subjects if not subject.strip()]:
        yield f"The subject is empty in {_share(empty, subjects)}. Give its fields a |default('…')."


def _share(some: Sequence[str], every: Sequence[str]) -> str:
    return f"{len(some):,} of the {len(every):,} messages tried"
