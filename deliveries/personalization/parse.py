"""The syntax of contents: a source that Jinja2 can read, within limits of size."""

import re

from jinja2 import Environment, TemplateSyntaxError, nodes

from deliveries.personalization.errors import PersonalizationErrors, Problem

MAX_SOURCE = 1_000_000
MAX_TAGS = 5_000

SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, which no encoding can carry."""


def parse(environment: Environment, source: str, where: str) -> nodes.Template:
    """The checked-for-syntax tree of a source. Raises :class:`PersonalizationErrors`."""
    if len(source) > MAX_SOURCE:
        raise PersonalizationErrors([Problem(where, 1, f"The content is longer than {MAX_SOURCE:,} characters.")])
    if source.count("{{") + source.count("{%") > MAX_TAGS:
        raise PersonalizationErrors([Problem(where, 1, f"There are more than {MAX_TAGS:,} expressions.")])
    if surrogate := SURROGATE.search(source):
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


def _syntax_sentence(error: TemplateSyntaxError) -> str:
    message = error.message or "the syntax is wrong"
    if "end of comment" in message:
        return "“{#” begins a comment that never ends. In a style sheet, put a space between “{” and “#”."
    if "Unexpected end of template" in message:
        return "A block that was opened with {% … %} is never closed. " + message.partition(". ")[2]
    return f"The personalization cannot be read: {message.rstrip('.')}."
