"""``/healthz``: whether this process can do its work, for load balancers and container health checks."""

import logging
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when database and Redis answer, else 503; the body names each. Reasons go to the log, not to the public."""
    answers = {"database": _answers(_ask_database), "redis": _answers(_ask_redis)}
    body = {name: "ok" if fine else "down" for name, fine in answers.items()}
    return JsonResponse(body, status=200 if all(answers.values()) else 503)


def _answers(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except (Error, redis.RedisError) as error:
        logger.warning("Health check failed: %s", error)
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    ) as client:
        client.ping()
