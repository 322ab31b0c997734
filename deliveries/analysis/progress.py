"""How far a running analysis is. Its transaction shows nothing before its end, so the step stands in Redis, where it
may be lost: then the page shows that it runs, not how far it is."""

import logging
from enum import IntEnum

import redis

from campaign.lib.brief_redis import brief_redis

logger = logging.getLogger(__name__)

_LASTS = 600
"""Seconds after which a step is forgotten that nobody took away."""


class Step(IntEnum):
    """What an analysis does, in order."""

    CHECKS = 1
    TARGET = 2
    MESSAGES = 3
    SAMPLE = 4

    @property
    def label(self) -> str:
        """What a person reads."""
        return _LABELS[self]

    @property
    def percent(self) -> int:
        """Share of the steps that are behind it."""
        return 100 * (self - 1) // len(Step)


_LABELS = {
    Step.CHECKS: "The content is checked",
    Step.TARGET: "The target is computed",
    Step.MESSAGES: "The messages are written",
    Step.SAMPLE: "Some of the messages are tried out",
}


def show_step(delivery_id: int, step: Step) -> None:
    """Say that the analysis of this delivery has come to ``step``."""
    try:
        brief_redis().set(_key(delivery_id), step.value, ex=_LASTS)
    except redis.RedisError as error:
        logger.info("The analysis shows no progress: %s", error)


def shown_step(delivery_id: int) -> Step | None:
    """Where the analysis of this delivery is, if that is known."""
    try:
        return Step(int(brief_redis().get(_key(delivery_id)) or 0))
    except (redis.RedisError, ValueError):
        return None


def _key(delivery_id: int) -> str:
    return f"analysis:{delivery_id}"
