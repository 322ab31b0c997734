"""One part of a content, ready to be written for many messages; what goes wrong is told with the author's line."""

from typing import Any

from deliveries.personalization.budget import Budget
from deliveries.personalization.errors import RenderLimit, ValueProblem
from deliveries.personalization.sandbox import Environment, Write, prepare, render
from deliveries.rendering.encode import MessageError
from deliveries.rendering.links import HTML

_UNFIT = (
    "A value does not fit what is done with it, such as a text compared with a number, or an empty value. "
    "Turn values into numbers with |int or |float, or give them a |default."
)


class Template:
    """One part of a content. Most headers have no expression; they skip the template engine."""

    def __init__(self, environment: Environment, source: str, where: str) -> None:
        self.where = where
        self.write = environment.write
        write_text = environment.write_text or str
        self.constant = write_text(source) if "{" not in source else None
        self.template = None if self.constant is not None else prepare(environment, source, where)

    def render(self, values: dict[str, Any], budget: Budget) -> str:
        """The text for these values. Raises :class:`MessageError`."""
        if self.template is None:
            return self.constant or ""
        try:
            return render(self.template, values, budget)
        except RenderLimit as error:
            raise MessageError(str(error)) from None
        except ValueProblem as error:
            raise self._problem(error, str(error)) from None
        except Exception as error:
            raise self._problem(error, _UNFIT) from error

    def _problem(self, error: Exception, sentence: str) -> MessageError:
        return MessageError(f"In {self.where}, line {self._line(error)}: {sentence}")

    def _line(self, error: Exception) -> int:
        """The author's line: the deepest one of the traceback that is in the template's own code."""
        line, step = 1, error.__traceback__
        while step is not None and self.template is not None:
            if step.tb_frame.f_code.co_filename == "<template>":
                line = self.template.get_corresponding_lineno(step.tb_lineno)
            step = step.tb_next
        return line


def part_template(source: str, part: str, write: Write, write_text: Write | None = None) -> Template:
    """The template of the HTML or the text part; ``write`` and ``write_text`` as its environment takes them."""
    where = "the HTML content" if part == HTML else "the text content"
    return Template(Environment(autoescape=part == HTML, write=write, write_text=write_text), source, where)
