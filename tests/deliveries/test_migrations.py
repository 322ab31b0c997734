"""What becomes of routes on the way back to a version that knows less."""

from importlib import import_module

import pytest
from django.apps import apps

from deliveries.models import Route
from tests.deliveries import factories

logins = import_module("deliveries.migrations.0029_oauth_logins")


@pytest.mark.django_db
def test_a_way_of_logging_in_that_the_former_column_cannot_hold_becomes_one_that_it_can() -> None:
    made = factories.route()
    Route.objects.filter(pk=made.pk).update(auth_mechanism="OAUTHBEARER", username="u")

    logins.name_what_is_known(apps, None)

    made.refresh_from_db()
    assert made.auth_mechanism == "XOAUTH2"
