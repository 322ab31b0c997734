"""Clicks and opens are answered before Django: its middleware would be most of the work (docs/decisions)."""

from collections.abc import Callable, Iterable
from typing import Any

from tracking.answers import answer

Application = Callable[..., Iterable[bytes]]


class TrackedLinks:
    """A WSGI application in front of another one, which gets everything that is no click and no open."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        given = answer(environ)
        if given is None:
            return self.application(environ, start_response)
        start_response(f"{given.status.value} {given.status.phrase}", given.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [given.body]
