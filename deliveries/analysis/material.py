"""What checks look at: a delivery, its content as compiled, and in the end its messages. Each thing is made once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from deliveries.analysis.sample import Sample, take_sample
from deliveries.models import Content, Delivery
from deliveries.outside.visit import Answer, visit
from deliveries.rendering.compile import Compiled
from deliveries.rendering.links import Link, find_links
from deliveries.rendering.reading import Reading, read


@dataclass
class Material:
    """``compiled`` is ``None`` while the personalization cannot be read, ``content`` until the messages are written.

    ``messages``: how many there are, those to seed addresses included.
    """

    delivery: Delivery
    compiled: Compiled | None = None
    content: Content | None = None
    messages: int = 0
    _answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def html(self) -> str:
        """The HTML with its blocks resolved, as far as it can be read."""
        return self.compiled.html if self.compiled else self.delivery.html

    @property
    def text(self) -> str:
        """The text content, which may have been made from the HTML."""
        return self.compiled.text if self.compiled else self.delivery.text

    @cached_property
    def reading(self) -> Reading:
        """The HTML as a tree."""
        return read(self.html)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The links of the HTML, in order."""
        return self.compiled.links if self.compiled else find_links(self.html)

    @cached_property
    def sample(self) -> Sample:
        """Some of the messages, made as they would be sent; empty before they are written."""
        if self.content is None or self.compiled is None:
            return Sample()
        return take_sample(self.content, self.compiled)

    def answers(self, urls: Sequence[str]) -> Mapping[str, Answer]:
        """What the servers of these addresses answer; each is asked once, however many checks want to know."""
        self._answers.update(visit(url for url in urls if url not in self._answers))
        return self._answers
