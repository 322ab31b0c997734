"""What many ask for at the same time is done together: whoever asks while it is being done waits for the next turn."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """``work`` gives the answers to at most ``most`` questions, in their order. What it raises, all of them get.

    One turn is under way at a time; nobody waits for company, so a single question is answered at once.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]], most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._turns: asyncio.Task[None] | None = None

    async def ask(self, question: Asked) -> Answer:
        """The answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._turns is None or self._turns.done():
            self._turns = asyncio.create_task(self._take_turns())
        return await future

    async def _take_turns(self) -> None:
        while self._waiting:
            turn, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                answers = await self._work([question for question, _ in turn])
            except Exception as error:  # noqa: BLE001 (whatever it is, those who asked get it)
                for _, future in turn:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(turn, answers, strict=True):
                if not future.done():  # its connection may be gone
                    future.set_result(answer)
