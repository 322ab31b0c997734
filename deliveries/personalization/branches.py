"""Where a content goes one way or another, and which values send it there. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from jinja2 import TemplateSyntaxError, nodes

from deliveries.personalization.fields import PERSONAL, ROOTS
from deliveries.personalization.parse import MAX_SOURCE
from deliveries.personalization.sandbox import Environment

MOST_CONSTANTS: Final = 50
"""Of one field; a list of all postcodes tells nothing more than its first ones."""
LONGEST_WORDS: Final = 80

_MARK = re.compile("\ue100(\\d{1,4})\ue101")

Constant = str | float


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the ways at a condition or loop: where it stands, the tag that begins it, and whether that is ``else``."""

    where: str
    line: int
    words: str
    is_else: bool

    def __str__(self) -> str:
        return f"{self.words} in {self.where}, line {self.line}"


def mark(source: str, where: str, *, first: int = 0) -> tuple[str, tuple[Branch, ...]]:
    """The source with a mark at the beginning of each of its branches, and the branches, numbered from ``first``.

    A source that cannot be read, or that has no room for marks, comes back as it is, without branches.
    """
    try:
        marked, branches = _marked(source, where, first)
    except TemplateSyntaxError:
        return source, ()
    return (marked, branches) if len(marked) <= MAX_SOURCE else (source, ())


def taken(text: str) -> frozenset[int]:
    """The numbers of the branches that a text made from a marked source went through."""
    return frozenset(int(number) for number in _MARK.findall(text))


def _marked(source: str, where: str, first: int) -> tuple[str, tuple[Branch, ...]]:
    pieces: list[str] = []
    branches: list[Branch] = []
    opened: list[str] = []
    for line, keyword, tag in _tags(source):
        pieces.append(tag)
        if keyword in {"endif", "endfor"} and opened:
            opened.pop()
        if keyword not in {"if", "for", "elif", "else"}:
            continue
        if keyword in {"if", "for"}:
            opened.append(tag)
        words = f"{tag} of {opened[-1]}" if keyword == "else" and opened else tag
        pieces.append(f"\ue100{first + len(branches)}\ue101")
        branches.append(Branch(where, line, " ".join(words.split())[:LONGEST_WORDS], keyword == "else"))
    return "".join(pieces), tuple(branches)


def _tags(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, keyword and source of each statement; everything between statements without a keyword.

    Raises ``TemplateSyntaxError``.
    """
    tokens = iter(Environment(autoescape=False).lex(source))
    for line, kind, value in tokens:
        if kind != "block_begin":
            yield line, "", value
            continue
        tag, keyword = [value], ""
        for _, inner, text in tokens:
            tag.append(text)
            if inner == "name" and not keyword:
                keyword = text
            if inner == "block_end":
                break
        yield line, keyword, "".join(tag)


def compared(sources: Iterable[str]) -> dict[str, tuple[Constant, ...]]:
    """Personal fields with the texts and numbers that they are compared with anywhere, through variables too."""
    found: dict[str, dict[Constant, None]] = {}
    for source in sources:
        try:
            tree = Environment(autoescape=False).parse(source)
        except (TemplateSyntaxError, ValueError, RecursionError):
            continue
        variables = _variables(tree)
        for node in tree.find_all((nodes.Compare, nodes.Test)):
            for path in _fields(node, variables):
                found.setdefault(path, {}).update(dict.fromkeys(_constants(node)))
    return {path: tuple(constants)[:MOST_CONSTANTS] for path, constants in found.items() if constants}


def _variables(tree: nodes.Template) -> dict[str, set[str]]:
    """The fields that each variable is made of, wherever it is set; in order, so that one may be made of another."""
    known: dict[str, set[str]] = {}
    for node in tree.find_all((nodes.Assign, nodes.For)):
        names, value = _set(node)
        for name in names:
            known.setdefault(name, set()).update(_fields(value, known))
    return known


def _set(node: nodes.Node) -> tuple[list[str], nodes.Node]:
    """The variables that a statement sets, and what it makes them of."""
    if isinstance(node, nodes.For):
        target, value = node.target, node.iter
    elif isinstance(node, nodes.Assign):
        target, value = node.target, node.node
    else:
        return [], node
    every: list[nodes.Node] = [target, *target.find_all(nodes.Name)]
    return [name.name for name in every if isinstance(name, nodes.Name)], value


def _fields(node: nodes.Node, variables: dict[str, set[str]]) -> set[str]:
    fields: set[str] = set()
    for inner in (node, *node.find_all((nodes.Getattr, nodes.Name))):
        if isinstance(inner, nodes.Getattr) and isinstance(inner.node, nodes.Name) and inner.node.name in ROOTS:
            path = f"{inner.node.name}.{inner.attr}"
            fields |= {path} if path.startswith(PERSONAL) else set()
        elif isinstance(inner, nodes.Name):
            fields |= variables.get(inner.name, set())
    return fields


def _constants(node: nodes.Node) -> Iterator[Constant]:
    for inner in node.find_all(nodes.Const):
        if isinstance(inner.value, str):
            yield inner.value
        elif isinstance(inner.value, int | float) and not isinstance(inner.value, bool) and abs(inner.value) < 1e15:
            yield float(inner.value)
