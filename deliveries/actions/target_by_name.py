"""Say by name who gets a delivery."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from deliveries.actions.base import ActionRefused
from deliveries.actions.edit import edited
from deliveries.models import Delivery, SeedGroup
from deliveries.moves import Actor, write_act
from recipients.models import RecipientList, SavedQuery


class NoSuchName(ActionRefused):
    """Nothing has this name."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of what makes up a target."""

    target_lists: Sequence[str] = ()
    target_queries: Sequence[str] = ()
    excluded_lists: Sequence[str] = ()
    excluded_queries: Sequence[str] = ()
    seed_groups: Sequence[str] = ()


KINDS: dict[str, tuple[type[models.Model], str]] = {
    "target_lists": (RecipientList, "list"),
    "target_queries": (SavedQuery, "query"),
    "excluded_lists": (RecipientList, "list"),
    "excluded_queries": (SavedQuery, "query"),
    "seed_groups": (SeedGroup, "group of seed addresses"),
}


@transaction.atomic
def target_by_name(delivery: Delivery, names: Names, *, by: Actor = None) -> None:
    """Let the delivery go to these and no others (its file stays).

    Raises :class:`NoSuchName`, and :class:`ActionRefused` when the delivery can no longer be changed.
    """
    locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if not locked.current_state.is_editable:
        raise ActionRefused(f"The delivery is “{locked.current_state.label}”: its target cannot be changed.")
    chosen = {role: [_named(role, name) for name in getattr(names, role)] for role in KINDS}
    for role, objects in chosen.items():
        getattr(locked, role).set(objects)
    words = "; ".join(f"{_words(role)} {_quoted(objects)}" for role, objects in chosen.items() if objects)
    write_act(locked, f"The target was chosen: {words or 'nothing'}.", by=by)
    edited(locked, by=by)


def _named(role: str, name: str) -> Any:
    model, words = KINDS[role]
    found = model._default_manager.filter(name=name).first()
    if found is None:
        raise NoSuchName(f"There is no {words} “{name}”.")
    return found


def _words(role: str) -> str:
    return role.replace("_", " ")


def _quoted(objects: Sequence[Any]) -> str:
    return ", ".join(f"“{one}”" for one in objects)
