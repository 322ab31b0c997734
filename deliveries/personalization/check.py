"""The content language: a small part of Jinja2. Authors are hostile here: what is not on the lists below is an error
that names the line, when a content is compiled."""

# ruff: noqa: N802 - visitors are named for the node classes

import difflib
import re
from collections.abc import Iterable
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeVisitor

from deliveries.personalization.errors import PersonalizationErrors, Problem
from deliveries.personalization.fields import ROOTS, Field
from deliveries.personalization.filters import FILTERS
from deliveries.personalization.parse import SURROGATE, parse
from deliveries.personalization.sandbox import LOOP_NUMBERS, TESTS, Environment

MAX_NODES = 20_000
MAX_DEPTH = 60
MAX_LOOPS = 5
MAX_PROBLEMS = 30

_ALLOWED_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.Name, nodes.Getattr,
    nodes.Getitem, nodes.Const, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat,
    nodes.CondExpr, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip


def check(source: str, where: str, catalogue: dict[str, Field], *, blocks: Iterable[str] = ()) -> None:
    """Check what an author wrote, includes unresolved. Raises :class:`PersonalizationErrors` with every problem."""
    tree = parse(Environment(autoescape=False), source, where)
    checker = _Checker(where, catalogue, frozenset(blocks))
    try:
        checker.visit(tree)
    except RecursionError:
        checker.add(tree, "Expressions are nested too deeply.")
    if checker.problems:
        raise PersonalizationErrors(checker.problems)


def used_fields(source: str, where: str, catalogue: dict[str, Field]) -> tuple[str, ...]:
    """Paths of the fields that a source uses, in order of appearance. Raises :class:`PersonalizationErrors`."""
    check(source, where, catalogue)
    tree = Environment(autoescape=False).parse(source)
    paths = (
        f"{node.node.name}.{node.attr}"
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name in ROOTS
    )
    return tuple(dict.fromkeys(paths))


class _Checker(NodeVisitor):
    """Collects everything that is not of the language, and every unknown field."""

    def __init__(self, where: str, catalogue: dict[str, Field], blocks: frozenset[str]) -> None:
        self.where = where
        self.catalogue = catalogue
        self.blocks = blocks
        self.variables: set[str] = {"loop"}
        self.problems: list[Problem] = []
        self.depth = 0
        self.loops = 0
        self.nodes = 0

    def add(self, node: nodes.Node, sentence: str) -> None:
        """Note a problem at a node."""
        self.problems.append(Problem(self.where, node.lineno or 1, sentence))

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """Refuse what is not on the list, go into the rest."""
        if len(self.problems) >= MAX_PROBLEMS:
            return None
        if isinstance(node, nodes.Include):
            return self._include(node)
        if not isinstance(node, _ALLOWED_NODES):
            return self.add(node, f"“{_name_of(node)}” cannot be used in a content.")
        self.nodes += 1
        if self.nodes == MAX_NODES:
            self.problems.insert(0, Problem(self.where, node.lineno, "There are too many expressions; shorten them."))
        if self.nodes >= MAX_NODES:
            return None
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                return self.add(node, "Expressions are nested too deeply.")
            return super().visit(node, *args, **kwargs)
        finally:
            self.depth -= 1

    def visit_Name(self, node: nodes.Name) -> None:
        """A variable of the author's, or a root that lacks its field."""
        if node.ctx == "store":
            if node.name in ROOTS or node.name == "loop" or node.name.startswith("_"):
                self.add(node, f"“{node.name}” cannot be a variable's name. Choose another one.")
            self.variables.add(node.name)
        elif node.name == "loop":
            self.add(node, "“loop” stands with one of its numbers: loop.index, loop.first, loop.last or loop.length.")
        elif node.name in ROOTS:
            self.add(node, f"“{node.name}” is not a field. Write a field of it, such as {self._example(node.name)}.")
        elif node.name not in self.variables:
            self.add(node, f"Unknown field {node.name}.{self._did_you_mean(node.name)}")

    def visit_Getattr(self, node: nodes.Getattr) -> None:
        """A field of a root, or a number of the loop."""
        if isinstance(node.node, nodes.Name) and node.node.name in ROOTS:
            path = f"{node.node.name}.{node.attr}"
            if path not in self.catalogue:
                self.add(node, f"Unknown field {path}.{self._did_you_mean(path)}")
        elif isinstance(node.node, nodes.Name) and node.node.name == "loop":
            if node.attr not in LOOP_NUMBERS:
                self.add(node, f"Unknown field loop.{node.attr}.")
        elif isinstance(node.node, nodes.Name) and node.node.name in self.variables and not node.attr.startswith("_"):
            return
        else:
            self.add(node, f"“.{node.attr}” is not a field.")

    def visit_Getitem(self, node: nodes.Getitem) -> None:
        """A numbered entry of a list."""
        if not (isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, int)):
            self.add(node, "In square brackets only a number can stand. Write fields with a dot: recipient.first_name.")
        self.generic_visit(node)

    def visit_For(self, node: nodes.For) -> None:
        """A loop; its variable is known inside."""
        if node.recursive:
            self.add(node, "“recursive” cannot be used in a content.")
        self.visit(node.iter)
        self.visit(node.target)
        self.loops += 1
        if self.loops > MAX_LOOPS:
            self.add(node, f"Loops are nested too deeply; {MAX_LOOPS} in each other are possible.")
        for child in (node.test, *node.body):
            if child is not None:
                self.visit(child)
        self.loops -= 1
        for child in node.else_:
            self.visit(child)

    def visit_Const(self, node: nodes.Const) -> None:
        """A text or a number."""
        if isinstance(node.value, str) and SURROGATE.search(node.value):
            self.add(node, "“\\u” stands with half a character here. Write the character itself.")

    def visit_List(self, node: nodes.List) -> None:
        """A list of plain values: lists of lists could grow without end."""
        self._entries(node, node.items)

    def visit_Tuple(self, node: nodes.Tuple) -> None:
        """A list of plain values, or the variables of ``{% set a, b = … %}``."""
        if node.ctx == "store":
            self.generic_visit(node)
        else:
            self._entries(node, node.items)

    def _entries(self, node: nodes.Node, entries: list[nodes.Expr]) -> None:
        for entry in entries:
            if isinstance(entry, nodes.Const | nodes.Getattr):
                self.visit(entry)
            else:
                self.add(node, "In a list only texts, numbers and fields can stand.")

    def visit_Assign(self, node: nodes.Assign) -> None:
        """A variable; its value comes before its name."""
        self.visit(node.node)
        self.visit(node.target)

    def visit_Filter(self, node: nodes.Filter) -> None:
        """A filter on the list."""
        if node.name not in FILTERS:
            close = difflib.get_close_matches(node.name, FILTERS, n=2)
            hint = f" Did you mean {' or '.join(close)}?" if close else f" There are: {', '.join(sorted(FILTERS))}."
            self.add(node, f"Unknown filter {node.name}.{hint}")
        if node.node is None:
            self.add(node, "Filter blocks cannot be used in a content.")
        self.generic_visit(node)

    def visit_Test(self, node: nodes.Test) -> None:
        """A test on the list."""
        if node.name not in TESTS:
            self.add(node, f"Unknown test {node.name}. There are: {', '.join(sorted(TESTS))}.")
        self.generic_visit(node)

    def _include(self, node: nodes.Include) -> None:
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        if not isinstance(name, str):
            self.add(node, "include needs the name of a personalization block in quotes.")
        elif name not in self.blocks:
            close = difflib.get_close_matches(name, self.blocks, n=2)
            hint = f" Did you mean {' or '.join(close)}?" if close else ""
            self.add(node, f"Unknown personalization block “{name}”.{hint}")

    def _did_you_mean(self, path: str) -> str:
        path = path[:100]
        name = path.rpartition(".")[2]
        by_name = {known.rpartition(".")[2]: known for known in reversed(self.catalogue)}
        close = difflib.get_close_matches(path, self.catalogue, n=2, cutoff=0.75)
        close = close or [by_name[match] for match in difflib.get_close_matches(name, by_name, n=2, cutoff=0.6)]
        return f" Did you mean {' or '.join(close)}?" if close else ""

    def _example(self, root: str) -> str:
        return next(path for path in self.catalogue if path.startswith(f"{root}."))


def _name_of(node: nodes.Node) -> str:
    names = {nodes.Call: "( )", nodes.Pow: "**", nodes.CallBlock: "call", nodes.Slice: "[:]", nodes.Dict: "{ }"}
    return names.get(type(node), re.sub(r"(?<!^)(?=[A-Z])", " ", type(node).__name__).lower())
