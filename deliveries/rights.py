"""Who may do what with a delivery: the rights of a group, narrowed by the people whom the delivery names."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from deliveries.models import Delivery

Person = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True, slots=True)
class Rights:
    """What one person may do with one delivery."""

    view: bool = False
    edit: bool = False
    """Change, analyse, send proofs."""
    start: bool = False
    """Confirm, cancel a start, send back for changes."""
    control: bool = False
    """Pause, resume, stop and repair what runs."""
    add: bool = False
    """Make copies."""


def may_view_deliveries(person: Person) -> bool:
    """Whether the person may look at deliveries at all."""
    return person.has_perm("deliveries.view_delivery") or person.has_perm("deliveries.change_delivery")  # type: ignore[union-attr]


def rights_of(person: Person, delivery: Delivery) -> Rights:
    """The person's rights; two queries at most, none when reviewers and editors are loaded.

    A delivery that names editors is changed by them and its creator only; one that names reviewers is started by them
    only. The people of a proof are those of its delivery. Administrators may do everything.
    """
    if not isinstance(person, User) or not person.is_active:
        return Rights()
    if person.is_superuser:
        return Rights(view=True, edit=True, start=True, control=True, add=True)
    whole = delivery.proof_of or delivery
    may_start = person.has_perm("deliveries.start_delivery") and _is_named(person, whole, "reviewers")
    return Rights(
        view=may_view_deliveries(person),
        edit=person.has_perm("deliveries.change_delivery")
        and (whole.created_by_id == person.pk or _is_named(person, whole, "editors")),
        start=may_start,
        control=may_start or person.has_perm("deliveries.control_delivery"),
        add=person.has_perm("deliveries.add_delivery"),
    )


def _is_named(person: User, delivery: Delivery, role: str) -> bool:
    """Nobody is named, or the person is."""
    named = {somebody.pk for somebody in getattr(delivery, role).all()}
    return not named or person.pk in named
