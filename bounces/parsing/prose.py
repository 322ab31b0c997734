"""Reading what a server says to people: whom it did not reach, and why. PURE.

No dialect has a parser of its own. Every address in the notice is judged by where it stands: alone or first on its
line, after a label, after a word such as "to", in the transcript of an SMTP session. The strongest kind of place that
occurs gives the recipients.
"""

import re
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from bounces.parsing.addresses import ADDRESS, clean, iter_addresses, stripped
from bounces.parsing.codes import enhanced, reply_code
from bounces.parsing.dialects import joined
from bounces.parsing.report import Action, Finding

MAX_LINES: Final = 1_500
MAX_LINE_CHARACTERS: Final = 1_000
MAX_RECIPIENTS: Final = 1_000
MAX_DIAGNOSTIC_CHARACTERS: Final = 2_000
MAX_DIAGNOSTIC_LINES: Final = 25


class Place(IntEnum):
    """Where an address stands; a greater number is a better reason to take it for a recipient."""

    ANYWHERE = 0
    OBJECT = 1
    """After a word such as "to" in a sentence."""
    DIALOGUE = 2
    """In an SMTP command or reply."""
    LABELLED = 3
    FIRST = 4
    """First on its line."""


@dataclass(frozen=True, slots=True)
class _Sight:
    address: str
    place: Place
    line: int
    rest: str


_ADDRESS = re.compile(ADDRESS)
_LEAD = re.compile(
    r"^[\s\-*>•·|#+\"'\[(<{:=~]*(?:\d{1,3}[.)]\s+)?(?:(?:smtp|rfc-?822|mailto|internet)[:;=]\s*)?[\"'\[(<]*$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"^[\W_]*(?:{joined('labels')})\W{{0,3}}\s?[:=：]\s*(?:[\[<\"'(]*(?:smtp|rfc-?822|mailto)[:;])?\W*$", re.IGNORECASE
)
_OBJECT = re.compile(
    rf"(?:^|[\s<\"'(,.])(?:{joined('prepositions')})\s*[:,]?\s*[<\"'(\[]*(?:smtp:|mailto:)?$", re.IGNORECASE
)
_NEVER = re.compile(joined("never_recipient"), re.IGNORECASE)
_FROM_LABEL = re.compile(r"^[ \t>]{0,8}(?:to|an|à|para|a|aan|кому|宛先|cc|subject|sent|date)\s*:", re.IGNORECASE)
_COMMAND = re.compile(r"rcpt to:? ?<?$", re.IGNORECASE)
_REPLY_LINE = re.compile(r"^\W{0,6}(?:<<<\s*)?[45]\d\d[ -]")
_GENERATED = re.compile(
    r"(?:generated (?:from|by)|expanded from|originally|forwarded (?:from|by)|alias(?:ed)? (?:from|to))\W{0,6}$",
    re.IGNORECASE,
)
_AFTER_FIRST = re.compile(
    r"^[\s>\"'\])}]*(?:$|[:;,.(\[\-–—=<|…]|on \w{3},|\s{2,}|\t|[^\x00-\x7f]|is |was |has |does|could|cannot|can't|"
    r"not |no |unknown|user|mailbox|failed|host |smtp |delivery|after )",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"\b(?:contact|write to|notify|ask|reply to|forward(?: this)?(?: to)?|from|sent by|e-?mail us at|please e-?mail|"
    r"wenden sie sich an)(?: [\w-]+){0,2}[\s,<]{0,3}$",
    re.IGNORECASE,
)
_INTRODUCTION = re.compile(
    r"(?:recipient|address|deliver|user|mailbox|following|message)[^:]{0,200}:[- ]{0,20}$", re.IGNORECASE
)
_MAILBOX = re.compile(r"^[ \t\"'<]{0,20}([A-Za-z0-9][\w.+-]{1,62}\w)[\"'>]?(?:$|\s{2,}|\t| [\"(])")
_DISPLAY_NAME = re.compile(r"^[\"']?\s{0,3}<[^<>@\s]{1,64}@[^<>@\s]{1,255}>")
_NAME_BEFORE = re.compile(r"^\s{0,20}([\"']?[^\s<>@\"']{1,64}@[^\s<>@\"']{1,255}[\"']?\s{0,3})<$")
_NAMED = re.compile(r"^(?:smtp|rfc-?822)[=:]", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_END_OF_BLOCK = re.compile(r"^(?:-{3,}|={3,}|_{3,}|\*{3,})\s*$")
_HOST = re.compile(
    r"(?:host|server|mta|while talking to|reported by|from|by)[ :]+\[?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)",
    re.IGNORECASE,
)


def findings_in(notice: str, never: set[str], known: tuple[str, ...] = ()) -> list[Finding]:
    """Whom the notice names as not reached, each with the words about him.

    `never` holds addresses in lower case that are no recipients (who wrote this, to whom); `known` are recipients that
    the header names (X-Failed-Recipients), which then are all.
    """
    lines = [line[:MAX_LINE_CHARACTERS] for line in notice.split("\n")[:MAX_LINES]]
    sights = _sights(lines, never)
    if known and not _names_others(sights, known):
        return [_finding(address, sights, lines, list(known)) for address in known]
    best = max((sight.place for sight in sights if sight.place), default=Place.ANYWHERE)
    if best is Place.ANYWHERE:
        chosen = sights if len({sight.address.lower() for sight in sights}) == 1 else []
    else:
        chosen = [sight for sight in sights if sight.place is best]
    addresses = list({sight.address.lower(): sight.address for sight in reversed(chosen)}.values())[::-1]
    addresses = addresses[:MAX_RECIPIENTS]
    return [_finding(address, sights, lines, addresses) for address in addresses]


def _names_others(sights: list[_Sight], known: tuple[str, ...]) -> bool:
    """Whether the notice lists recipients none of whom the header knows: what people are told is right then."""
    listed = {sight.address.lower() for sight in sights if sight.place is Place.FIRST}
    every = {sight.address.lower() for sight in sights}
    return bool(listed) and not every.intersection(address.lower() for address in known)


def named_in(notice: str, addresses: list[str], domain: str) -> list[Finding]:
    """Recipients whom the notice names by their mailbox alone, on lines below one that ends with a colon.

    The domain is that of the address among `addresses` (to whom the message went) with this mailbox, else `domain`, of
    the server that wrote.
    """
    whole = {address.lower().partition("@")[0]: address for address in addresses}
    lines = [line[:MAX_LINE_CHARACTERS].rstrip() for line in notice.split("\n")[:MAX_LINES]]
    found: list[Finding] = []
    introduced = False
    for number, line in enumerate(lines):
        name = _MAILBOX.match(line) if introduced else None
        if name:
            address = whole.get(name[1].lower()) or (f"{name[1]}@{domain}" if domain else "")
            words = " ".join(" ".join((line[name.end(1) :], *lines[number + 1 : number + 6])).split())
            if address:
                found.append(Finding(address, status=enhanced(words), diagnostic=words, reply_code=reply_code(words)))
        elif line.strip():
            introduced = _INTRODUCTION.search(line) is not None
    return found[:MAX_RECIPIENTS]


def _sights(lines: list[str], never: set[str]) -> list[_Sight]:
    sights: list[_Sight] = []
    for number, line in enumerate(lines):
        if "@" not in line:
            continue
        for match in _ADDRESS.finditer(line):
            address = stripped(match[0])
            if not address or address.lower() in never:
                continue
            before = line[: match.start() + max(match[0].find(address), 0)]
            after = line[match.start() + match[0].find(address) + len(address) :]
            if _DISPLAY_NAME.match(after) and next(iter_addresses(after), "").lower() != address.lower():
                continue  # "anna@example.com <other@example.org>": the former is the name of the latter
            if named := _NAME_BEFORE.match(before):
                before = before[: named.start(1)]
            place = Place.FIRST if _NAMED.match(match[0]) else _place(before, after, lines, number)
            if place is not None:
                sights.append(_Sight(address, place, number, after))
    return sights


def _place(before: str, after: str, lines: list[str], number: int) -> Place | None:
    if _LEAD.match(before):
        if _ends_a_sentence(lines, number):
            return None
        if number and _FROM_LABEL.match(lines[number - 1]) and "," in lines[number - 1]:
            return Place.ANYWHERE
        return Place.FIRST if _AFTER_FIRST.match(after) else Place.OBJECT
    if _COMMAND.search(before):
        return Place.DIALOGUE
    if _GENERATED.search(before):
        return Place.OBJECT
    if _REPLY_LINE.match(before):
        return Place.DIALOGUE
    if _NEVER.search(before):
        return None
    if _LABEL.match(before):
        return Place.LABELLED
    if _FROM_LABEL.match(before):
        return Place.ANYWHERE
    if _OBJECT.search(before):
        return Place.OBJECT
    return Place.ANYWHERE


def _ends_a_sentence(lines: list[str], number: int) -> bool:
    """Whether the address on this line is the object of the line before: "please contact / postmaster@example.com"."""
    before = lines[number - 1].rstrip() if number else ""
    return _DANGLING.search(before[-80:]) is not None


def _finding(address: str, sights: list[_Sight], lines: list[str], others: list[str] | None = None) -> Finding:
    mine = [sight for sight in sights if sight.address.lower() == address.lower()]
    first = max(mine, key=lambda sight: (sight.place, -sight.line), default=None)
    generated = ""
    words: list[str] = []
    if first is not None:
        foreign = {each.lower() for each in others or ()} - {address.lower()}
        words, generated = _words_after(first, lines, foreign)
        seen = set(range(first.line, first.line + len(words)))
        for sight in mine:
            if sight.line not in seen and sight.place is Place.DIALOGUE:
                words.append(lines[sight.line])
                words.extend(_replies_after(sight.line, lines))
                seen.update(range(sight.line, sight.line + 3))
    diagnostic = " ".join(" ".join(words).split())[:MAX_DIAGNOSTIC_CHARACTERS]
    if not _LETTERS.search(diagnostic.replace(address, "").replace(generated or address, "").replace("generated", "")):
        diagnostic = ""
    host = _HOST.search(diagnostic)
    return Finding(
        address=address,
        original=generated if generated.lower() != address.lower() else "",
        action=Action.FAILED,
        status=enhanced(diagnostic),
        diagnostic=diagnostic,
        reply_code=reply_code(diagnostic),
        remote=host[1] if host else "",
    )


def _words_after(first: _Sight, lines: list[str], foreign: set[str]) -> tuple[list[str], str]:
    """What stands after the address, up to the next recipient or the block's end; and from what it was expanded."""
    words = [first.rest if first.place is Place.FIRST else lines[first.line]]
    generated = ""
    blank = 0
    for line in lines[first.line + 1 : first.line + 1 + MAX_DIAGNOSTIC_LINES]:
        if not line.strip():
            blank += 1
            if blank > 1 and len(words) > 2:
                break
            words.append("")
            continue
        lower = line.lower()
        if foreign and "@" in line and (_starts_with_one_of(line, foreign)):
            break
        if _END_OF_BLOCK.match(line) and len(words) > 3:
            break
        if (match := re.search(r"generated (?:from|by) (\S+@\S+?)\)?$", lower)) and not generated:
            generated = clean(line[match.start(1) : match.end(1)])
        words.append(line)
    return words, generated


def _starts_with_one_of(line: str, addresses: set[str]) -> bool:
    return next((found.lower() in addresses for found in iter_addresses(line)), False)


def _replies_after(number: int, lines: list[str]) -> list[str]:
    return [line for line in lines[number + 1 : number + 4] if _REPLY_LINE.match(line)]


def delayed(finding: Finding) -> Finding:
    """The same finding of somebody who was not reached yet."""
    return replace(finding, action=Action.DELAYED)
