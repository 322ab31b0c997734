"""The content language: a small part of Jinja2, checked when a content is compiled and bounded when it is rendered.

Authors are hostile here. Nothing can be called, no attribute exists but the fields, loops and output are counted. What
is not on the lists below is an error that names the line.
"""

# ruff: noqa: N802 - visitors are named for the node classes

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.runtime import LoopContext, Undefined, markup_join, new_context, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer, NodeVisitor
from markupsafe import escape

from deliveries.personalization.budget import Budget, present
from deliveries.personalization.errors import PersonalizationErrors, Problem, ValueProblem
from deliveries.personalization.fields import Field
from deliveries.personalization.filters import FILTERS, MAX_LENGTH

ROOTS = frozenset({"recipient", "file", "delivery", "message"})
TESTS = frozenset(
    {"defined", "undefined", "none", "odd", "even", "divisibleby", "in", "eq", "ne", "lt", "le", "gt", "ge"}
)
MAX_SOURCE = 1_000_000
MAX_TAGS = 5_000
MAX_NODES = 20_000
MAX_DEPTH = 60
MAX_LOOPS = 5
MAX_PROBLEMS = 30
BOUNDED = "_bounded"
WRITTEN = "_written"
CONCATENATED = "_concatenated"

Write = Callable[[str], str]

_ALLOWED_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.Name, nodes.Getattr,
    nodes.Getitem, nodes.Const, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat,
    nodes.CondExpr, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip


class Environment(ImmutableSandboxedEnvironment):
    """Jinja2's immutable sandbox with our filters and arithmetic on numbers only."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self, *, autoescape: bool, write: Write | None = None, write_text: Write | None = None) -> None:
        """``write`` turns each piece that is written out, the author's text and values alike, into its final form: the
        author's when a template is prepared, values after they were escaped. ``write_text`` is the author's own."""
        super().__init__(
            autoescape=autoescape and write is None, keep_trailing_newline=True, undefined=_Missing, cache_size=0
        )
        self.filters = {**FILTERS, BOUNDED: bounded, CONCATENATED: concatenated}
        self.write = write
        self.write_text = write_text or write
        if write is not None:
            self.filters[WRITTEN] = partial(_written_escaped if autoescape else _written, write)
        self.tests = {name: test for name, test in self.tests.items() if name in TESTS}
        self.globals = {}
        # Where values are written, that is part of it.
        self.finalize = _finalize if write is None else None

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers; ``+`` also joins texts."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            present().spend(len(left) + len(right))
            return _bounded_text(left + right)
        if not all(isinstance(side, int | float) and abs(side) < 1e15 for side in (left, right)):
            raise ValueProblem(
                f"“{operator}” needs two numbers (below a thousand million million). "
                "Turn texts into numbers with |int or |float."
            )
        if operator in {"/", "//", "%"} and not right:
            raise ValueProblem("A number is divided by zero. Put the division into {% if … %}.")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An entry of a value that has entries, or a number of the loop; nothing else has attributes."""
        if isinstance(obj, dict):
            return obj.get(attribute)
        # A text has a method “index” too: only a loop's numbers may come out here.
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.undefined(obj=None, name=attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only the numbers of a loop."""
        return attr in _LOOP


_COUNTED_TOGETHER = 64
"""Pieces of a part: one by one their lengths would cost as much as they do."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOOP = frozenset({"index", "index0", "first", "last", "length"})


class _Missing(Undefined):
    """A name that the checks let through (a variable set in a branch not taken): empty, never an object."""

    def __str__(self) -> str:
        return ""


def _finalize(value: Any) -> Any:
    """What is written out: nothing for no value, the entries of a list with commas between."""
    if value is None:
        return ""
    return FILTERS["join"](value) if isinstance(value, list | tuple) else value


def _written(write: Write, value: Any) -> str:
    """A value in its final form."""
    return write(value if type(value) is str else str(_finalize(value)))


def _written_escaped(write: Write, value: Any) -> str:
    """A value, escaped, in its final form; the environment has its own escaping off and does not escape it again."""
    return write(str(escape(value if type(value) is str else _finalize(value))))


def _bounded_text(text: Any) -> Any:
    if len(text) > MAX_LENGTH:
        raise ValueProblem(f"A joined text is longer than {MAX_LENGTH:,} characters.")
    return text


def bounded(values: Any, expressions: int) -> Iterator[Any]:
    """The values of a loop, counted with its expressions against the present rendering's budget."""
    if not isinstance(values, list | tuple | str):
        return
    budget = present()
    for value in values:
        budget.iterate(expressions)
        yield value


def concatenated(first: Any, *others: Any) -> Any:
    """Values behind each other (``~``), counted; where escaping is on, markup stays markup and the rest is escaped."""
    values = [_finalize(value) for value in (first, *others)]
    present().spend(sum(len(value) if isinstance(value, str) else 20 for value in values))
    return _bounded_text(
        markup_join(values) if any(hasattr(value, "__html__") for value in values) else str_join(values)
    )


def render(template: Any, values: dict[str, Any], budget: Budget) -> str:
    """The text of one part of a message: a prepared template with values. Raises :class:`RenderLimit`."""
    context = new_context(template.environment, None, template.blocks, values, shared=True)
    with budget:
        pieces: list[str] = []
        written = template.root_render_func(context)
        while some := list(islice(written, _COUNTED_TOGETHER)):
            budget.write(sum(map(len, some)))
            pieces += some
        budget.check_time()
        return "".join(pieces)


def parse(environment: Environment, source: str, where: str) -> nodes.Template:
    """The checked-for-syntax tree of a source. Raises :class:`PersonalizationErrors`."""
    if len(source) > MAX_SOURCE:
        raise PersonalizationErrors([Problem(where, 1, f"The content is longer than {MAX_SOURCE:,} characters.")])
    if source.count("{{") + source.count("{%") > MAX_TAGS:
        raise PersonalizationErrors([Problem(where, 1, f"There are more than {MAX_TAGS:,} expressions.")])
    if surrogate := _SURROGATE.search(source):
        line = source.count("\n", 0, surrogate.start()) + 1
        raise PersonalizationErrors(
            [Problem(where, line, "Half a character stands here. Delete it and write it again.")]
        )
    try:
        return environment.parse(source)
    except TemplateSyntaxError as error:
        raise PersonalizationErrors([Problem(where, error.lineno, _syntax_sentence(error))]) from None
    except ValueError:  # Python reads whole numbers of at most 4,300 digits
        raise PersonalizationErrors([Problem(where, 1, "A number has too many digits.")]) from None
    except RecursionError:
        raise PersonalizationErrors([Problem(where, 1, "Expressions are nested too deeply.")]) from None


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


def prepare(environment: Environment, source: str, where: str) -> Any:
    """A compiled template whose loops are counted. The source has been checked."""
    tree = _Direct().visit(_Bounds().visit(parse(environment, source, where)))
    if environment.write_text is not None:
        tree = _Written(environment.write_text).visit(tree)
    try:
        return environment.from_string(tree)
    except (SyntaxError, RecursionError, ValueError):
        sentence = "An expression is nested too deeply, or a number in it is too large."
        raise PersonalizationErrors([Problem(where, 1, sentence)]) from None


class _Bounds(NodeTransformer):
    """Puts the counting filters around loops and joined texts."""

    def visit_Concat(self, node: nodes.Concat, *args: Any, **kwargs: Any) -> nodes.Filter:
        """Count what ``~`` joins."""
        self.generic_visit(node, *args, **kwargs)
        first, *others = node.nodes
        return nodes.Filter(first, CONCATENATED, others, [], None, None, lineno=node.lineno)

    def visit_For(self, node: nodes.For, *args: Any, **kwargs: Any) -> nodes.For:
        """Count this loop and those in it."""
        self.generic_visit(node, *args, **kwargs)
        expressions = nodes.Const(sum(1 for _ in node.find_all(nodes.Expr)))
        node.iter = nodes.Filter(node.iter, BOUNDED, [expressions], [], None, None, lineno=node.lineno)
        return node


@lru_cache(maxsize=1024)
def variable(path: str) -> str:
    """The name under which a template finds the field ``path``; no author's variable begins like it."""
    return "_" + path.replace(".", "_", 1)


class _Direct(NodeTransformer):
    """Makes each field a variable of its own: looked up once a message, without a call into the sandbox."""

    def visit_Getattr(self, node: nodes.Getattr, *args: Any, **kwargs: Any) -> nodes.Expr:
        """A field of a root."""
        if isinstance(node.node, nodes.Name) and node.node.name in ROOTS:
            return nodes.Name(variable(f"{node.node.name}.{node.attr}"), "load", lineno=node.lineno)
        self.generic_visit(node, *args, **kwargs)
        return node


class _Written(NodeTransformer):
    """Writes the author's text in its final form, and has values written so."""

    def __init__(self, write: Write) -> None:
        self.write = write

    def visit_TemplateData(self, node: nodes.TemplateData, *args: Any, **kwargs: Any) -> nodes.TemplateData:
        """Once for all messages."""
        return nodes.TemplateData(self.write(node.data), lineno=node.lineno)

    def visit_Output(self, node: nodes.Output, *args: Any, **kwargs: Any) -> nodes.Output:
        """With each message."""
        node.nodes = [
            self.visit(part)
            if isinstance(part, nodes.TemplateData)
            else nodes.Filter(part, WRITTEN, [], [], None, None, lineno=part.lineno)
            for part in node.nodes
        ]
        return node


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
            if node.attr not in _LOOP:
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
        if isinstance(node.value, str) and _SURROGATE.search(node.value):
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


def _syntax_sentence(error: TemplateSyntaxError) -> str:
    message = error.message or "the syntax is wrong"
    if "end of comment" in message:
        return "“{#” begins a comment that never ends. In a style sheet, put a space between “{” and “#”."
    if "Unexpected end of template" in message:
        return "A block that was opened with {% … %} is never closed. " + message.partition(". ")[2]
    return f"The personalization cannot be read: {message.rstrip('.')}."
