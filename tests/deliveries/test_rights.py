"""Who may do what with a delivery."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db.models import Q

from deliveries.actions.send_proof import Proof, send_proof
from deliveries.models import Delivery
from deliveries.rights import Rights, rights_of
from tests.deliveries.factories import delivery, people
from tests.people import marketer, person

__all__ = ["marketer"]

pytestmark = pytest.mark.django_db

ALL = Rights(view=True, edit=True, start=True, control=True, add=True)


def member(group: str) -> User:
    """Somebody who has the rights of one of the groups out of the box and no others."""
    made = person(group.lower())
    made.groups.add(Group.objects.get(name=group))
    return User.objects.get(pk=made.pk)


@pytest.mark.parametrize(
    ("group", "rights"),
    [
        ("Marketer", Rights(view=True, edit=True, add=True)),
        ("Approver", Rights(view=True, start=True, control=True)),
        ("Operator", Rights(view=True, control=True)),
    ],
)
def test_each_group_has_its_part(group: str, rights: Rights) -> None:
    assert rights_of(member(group), delivery()) == rights


def test_people_who_are_named_edit_and_nobody_else_does(marketer: User) -> None:
    made, other = delivery(), person("other", Q())

    made.editors.add(other)

    assert rights_of(other, made).edit
    assert not rights_of(marketer, made).edit


def test_whoever_created_it_edits_it_all_the_same(marketer: User) -> None:
    made = delivery(created_by=marketer)

    made.editors.add(person("other", Q()))

    assert rights_of(marketer, made).edit


def test_people_who_are_named_start_and_nobody_else_does(marketer: User) -> None:
    made, reviewer = delivery(created_by=marketer), person("reviewer", Q())

    made.reviewers.add(reviewer)

    assert rights_of(reviewer, made).start
    assert not rights_of(marketer, made).start


def test_being_named_gives_nobody_a_right_that_the_group_lacks() -> None:
    made, looker = delivery(), person("looker", Q(codename__startswith="view_"))

    made.editors.add(looker)
    made.reviewers.add(looker)

    assert rights_of(looker, made) == Rights(view=True)


def test_the_people_of_a_proof_are_those_of_its_delivery(marketer: User) -> None:
    made, other = delivery(people(1)), person("other", Q())
    made.editors.add(other)
    made.reviewers.add(other)

    proof = send_proof(made, Proof(addresses=["tester@example.com"]), by=other)

    assert rights_of(marketer, proof) == Rights(view=True, control=True, add=True)
    assert rights_of(other, Delivery.objects.get(pk=proof.pk)) == ALL


def test_administrators_may_do_everything_and_strangers_nothing() -> None:
    made = delivery()
    made.editors.add(person("other", Q()))
    administrator = User.objects.create_superuser("root")
    gone = User.objects.create_superuser("gone", is_active=False)

    assert rights_of(administrator, made) == ALL
    assert rights_of(gone, made) == rights_of(AnonymousUser(), made) == Rights()
