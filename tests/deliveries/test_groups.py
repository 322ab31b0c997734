"""The groups of a new installation share the work between them."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import RequestFactory

from campaign import ui
from deliveries.groups import make_groups

pytestmark = pytest.mark.django_db

OURS = {"bounces", "deliveries", "recipients", "tracking"}


def test_whatever_can_be_created_is_some_groups_work() -> None:
    make_groups([each for each in apps.get_app_configs() if each.models_module is not None][-1])
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True)
    creatable = {
        f"add_{model._meta.model_name}"
        for model, screen in ui.site._registry.items()
        if model._meta.app_label in OURS and screen.has_add_permission(request)
    }
    shared = set(Group.objects.values_list("permissions__codename", flat=True))

    assert creatable - shared == set()
