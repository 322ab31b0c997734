"""A stretch of a long table along its primary key: the first page costs what the ten thousandth costs."""

from dataclasses import dataclass

from django.http import HttpRequest

from campaign.lib.primary_keys import primary_key
from deliveries.models import Message
from deliveries.models.message import MessageQuerySet


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some messages in order, and the ids to ask with for what lies before and after."""

    messages: list[Message]
    before: int | None
    after: int | None


def stretch(found: MessageQuerySet, *, after: int | None, before: int | None, most: int) -> Stretch:
    """The last ``most`` messages before an id, else the first ones after another, else the very first."""
    if before is not None:
        messages = list(found.filter(pk__lt=before).order_by("-pk")[: most + 1])
        more_before, more_after = len(messages) > most, True
        messages = messages[:most][::-1]
    else:
        messages = list((found.filter(pk__gt=after) if after is not None else found).order_by("pk")[: most + 1])
        more_before, more_after = after is not None, len(messages) > most
        messages = messages[:most]
    if not messages:
        return Stretch([], None, None)
    return Stretch(messages, messages[0].pk if more_before else None, messages[-1].pk if more_after else None)


def asked_id(request: HttpRequest, name: str) -> int | None:
    """The id in the address under this name; ``None`` when there is none."""
    return primary_key(request.GET.get(name, ""))


def filters_of(request: HttpRequest) -> str:
    """What stands in the address besides the place, for the links to the pages before and after."""
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    return query.urlencode()
