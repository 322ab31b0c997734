"""The three people who stand in every test of who may do what. Import the fixtures in a conftest."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Q
from django.test import Client

PASSWORD = "correct horse battery staple"


def person(name: str, permissions: Q | None = None) -> User:
    """Somebody who may log in to the admin, with those permissions in our apps that match."""
    user = User.objects.create_user(name, f"{name}@example.com", PASSWORD, is_staff=True)
    if permissions is not None:
        apps = Q(content_type__app_label__in=["bounces", "deliveries", "recipients", "tracking"])
        user.user_permissions.set(Permission.objects.filter(apps & permissions))
    return user


def logged_in(user: User) -> Client:
    """A browser in which ``user`` has logged in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def marketer(db: None) -> User:
    """Prepares and sends deliveries: may do everything in deliveries and recipients."""
    return person("marketer", Q())


@pytest.fixture
def colleague(db: None) -> User:
    """Looks at deliveries and changes nothing."""
    return person("colleague", Q(codename__startswith="view_"))


@pytest.fixture
def outsider(db: None) -> User:
    """May log in and has no business with deliveries."""
    return person("outsider")


@pytest.fixture
def at_marketer(marketer: User) -> Client:
    """The marketer's browser."""
    return logged_in(marketer)


@pytest.fixture
def at_colleague(colleague: User) -> Client:
    """The colleague's browser."""
    return logged_in(colleague)


@pytest.fixture
def at_outsider(outsider: User) -> Client:
    """The outsider's browser."""
    return logged_in(outsider)
