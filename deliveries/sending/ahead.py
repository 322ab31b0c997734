"""The mails of a part, made while the server is busy with those before, several of them step by step.

A processor is quickest at what it did a moment ago. So a few messages are written one after the other, then signed one
after the other; a message costs less than if each went through both steps by itself (docs/decisions/020).
"""

from collections import deque
from collections.abc import Iterator
from typing import Final, Self

from deliveries.mail import Mail
from deliveries.rendering.merge import Draft, MessageError, Renderer
from deliveries.rows import renderer
from deliveries.sending.turns import TOGETHER, Entry

MOST_OCTETS: Final = 1_000_000
"""Of what is made and waits, less files that mails share; a mail that is larger is made when it is asked for."""

Made = tuple[int, Mail | MessageError]


class Ahead:
    """An iterator over messages: the number of each, and its mail or why it cannot be made.

    Raises what reading rows and keys raises, once everything made before was asked for.
    """

    def __init__(self, groups: Iterator[list[Entry]]) -> None:
        self._groups = groups
        self._rows: deque[Entry] = deque()
        self._drafts: deque[tuple[Renderer, Draft]] = deque()
        self._signing = False
        self._made: deque[Made] = deque()
        self._most = TOGETHER
        self._problem: Exception | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Made:
        while not self._made or self._rows or self._drafts:
            if not self._make(at_most=self._most or 1):
                break
        if self._made:
            return self._made.popleft()
        if self._problem is not None:
            raise self._problem
        raise StopIteration

    def make_more(self) -> bool:
        """Take one step towards mails to come; false when enough are made, or none is left."""
        return self._make(at_most=self._most)

    def _make(self, *, at_most: int) -> bool:
        if self._problem is not None or len(self._made) >= at_most:
            return False
        try:
            return self._step()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again when it is its turn
            self._problem = error
            return False

    def _step(self) -> bool:
        if self._signing:
            self._made.append(self._signed())
            self._signing = bool(self._drafts)
            return True
        if not self._rows:
            group = next(self._groups, None)
            if group is None:
                return False
            self._rows.extend(group)
        self._write()
        self._signing = bool(self._drafts) and (not self._rows or len(self._drafts) >= self._most)
        return True

    def _write(self) -> None:
        content_id, row = self._rows.popleft()
        made_by = renderer(content_id)
        try:
            draft = made_by.draft(row)
        except MessageError as error:
            self._made.append((row.id, error))
            return
        self._drafts.append((made_by, draft))
        self._most = min(TOGETHER, MOST_OCTETS // (draft.octets + 1))

    def _signed(self) -> Made:
        made_by, draft = self._drafts.popleft()
        return draft.id, made_by.signed(draft)
