"""Some of the real messages, made as they would be sent, so that what only shows with data shows before the send."""

import time
from dataclasses import dataclass, field

from deliveries.mail import Mail
from deliveries.models import Content
from deliveries.rendering.compile import Compiled
from deliveries.rendering.merge import MessageError, Renderer
from deliveries.rows import sample_rows

SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """What was made, subjects in the order of the mails, and why the others could not be: addresses by cause."""

    mails: list[Mail] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    failing: dict[str, list[str]] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        """Messages that were tried."""
        return len(self.mails) + sum(map(len, self.failing.values()))


def take_sample(content: Content, compiled: Compiled) -> Sample:
    """Make the first messages of a content."""
    sample = Sample()
    renderer = Renderer(compiled, content.pk, bytes(content.key), clock=time.monotonic)
    for row in sample_rows(content, SAMPLE, content.created_at):
        try:
            mail, subject = renderer.mail(row), renderer.header(row, "subject")
        except MessageError as error:
            sample.failing.setdefault(str(error), []).append(row.address)
            continue
        sample.mails.append(mail)
        sample.subjects.append(subject)
    return sample
