"""Where contents are rendered: a sandbox in which nothing can be called, no attribute exists but the fields, and loops
and output are counted. What authors may write in the first place is in ``check.py``."""

# ruff: noqa: N802 - visitors are named for the node classes

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from jinja2 import nodes
from jinja2.runtime import LoopContext, Undefined, markup_join, new_context, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from deliveries.personalization.budget import Budget, present
from deliveries.personalization.errors import PersonalizationErrors, Problem, ValueProblem
from deliveries.personalization.fields import ROOTS
from deliveries.personalization.filters import FILTERS, MAX_LENGTH
from deliveries.personalization.parse import parse

TESTS = frozenset(
    {"defined", "undefined", "none", "odd", "even", "divisibleby", "in", "eq", "ne", "lt", "le", "gt", "ge"}
)
BOUNDED = "_bounded"
WRITTEN = "_written"
CONCATENATED = "_concatenated"

Write = Callable[[str], str]


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
        if isinstance(obj, LoopContext) and attribute in LOOP_NUMBERS:
            return getattr(obj, attribute)
        return self.undefined(obj=None, name=attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only the numbers of a loop."""
        return attr in LOOP_NUMBERS


_COUNTED_TOGETHER = 64
"""Pieces of a part: one by one their lengths would cost as much as they do."""
LOOP_NUMBERS = frozenset({"index", "index0", "first", "last", "length"})


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
    return write(escaped(value) if type(value) is str else str(escape(_finalize(value))))


def escaped(text: str) -> str:
    """Plain text in HTML, spelled as markupsafe spells it; without its object around the result it takes a third of the
    time, and every value of every message goes through here."""
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;").replace('"', "&#34;")
    )


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
