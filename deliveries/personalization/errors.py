"""What is wrong with a content, in sentences for its author."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: where (“the HTML content”), on which line (from 1), and what to do about it."""

    where: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"In {self.where}, line {self.line}: {self.sentence}"


class PersonalizationErrors(Exception):
    """Everything that was found wrong in one go; iterate for the single problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(str(problem) for problem in problems))
        self.problems = problems

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)


class RenderLimit(Exception):
    """A message takes too long, loops too often or grows too large. ``str()`` is a sentence for people."""


class ValueProblem(Exception):
    """A value does not fit what the author does with it. ``str()`` is a sentence for people."""
