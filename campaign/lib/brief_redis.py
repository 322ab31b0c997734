"""Redis for what a person waits for and can do without."""

from functools import cache

import redis
from django.conf import settings


@cache
def brief_redis() -> redis.Redis:
    """The process's connections that give up after a second. Their commands raise :class:`redis.RedisError`."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
