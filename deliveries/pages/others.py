"""Pages and list actions that other apps add to deliveries: they register here, so that imports go one way."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from deliveries.models import Delivery


@dataclass(frozen=True, slots=True)
class OtherPage:
    """A page below the deliveries' address; ``route`` is Django's, ``name`` follows ``deliveries_delivery_``."""

    route: str
    view: Callable[..., HttpResponseBase]
    name: str


@dataclass(frozen=True, slots=True)
class OtherLink:
    """A button on the delivery's own page that leads to a page which takes the delivery alone."""

    name: str
    label: str
    icon: str
    shown: Callable[[Delivery], bool]


@dataclass(frozen=True, slots=True)
class OtherAction:
    """An action on the deliveries chosen in the list, for everybody who may look at deliveries."""

    name: str
    label: str
    act: Callable[[Any, HttpRequest, QuerySet[Delivery]], HttpResponseBase | None]


_pages: dict[str, OtherPage] = {}
_links: dict[str, OtherLink] = {}
_actions: dict[str, OtherAction] = {}


def register(
    *, pages: Iterable[OtherPage] = (), links: Iterable[OtherLink] = (), actions: Iterable[OtherAction] = ()
) -> None:
    """Add these. Registering again under a name replaces what was there."""
    _pages.update((page.name, page) for page in pages)
    _links.update((link.name, link) for link in links)
    _actions.update((action.name, action) for action in actions)


def other_pages() -> list[OtherPage]:
    """All pages, in the order of registration."""
    return list(_pages.values())


def other_actions() -> list[OtherAction]:
    """All actions on the list, in the order of registration."""
    return list(_actions.values())


def links_of(delivery: Delivery) -> list[tuple[OtherLink, str]]:
    """The buttons of a delivery's page, each with where it leads."""
    return [
        (link, reverse(f"admin:deliveries_delivery_{link.name}", args=[delivery.pk]))
        for link in _links.values()
        if link.shown(delivery)
    ]
