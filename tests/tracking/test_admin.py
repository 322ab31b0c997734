"""The rules for machines in the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from tracking.default_rules import update_rules
from tracking.models import MachineRule, RuleKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule() -> MachineRule:
    update_rules()
    return MachineRule.objects.get(key="barracuda-networks")


def typed(rule: MachineRule, **changes: object) -> dict[str, object]:
    names = ("name", "kind", "pattern", "seconds", "verdict", "position", "source")
    return {**{name: getattr(rule, name) for name in names}, "is_active": "on", **changes}


def url(rule: MachineRule) -> str:
    return reverse("admin:tracking_machinerule_change", args=[rule.pk])


def test_a_changed_rule_of_the_project_says_so_and_is_kept(admin_client: Client, rule: MachineRule) -> None:
    admin_client.post(url(rule), typed(rule, pattern="192.0.2.0/24"))
    MachineRule.objects.filter(pk=rule.pk).update(version=0)
    update_rules()

    rule.refresh_from_db()
    assert (rule.pattern, rule.is_changed) == ("192.0.2.0/24", True)


def test_the_list_says_in_words_whose_a_rule_is(admin_client: Client, rule: MachineRule) -> None:
    MachineRule.objects.filter(pk=rule.pk).update(is_changed=True)
    MachineRule.objects.create(name="Ours", kind=RuleKind.USER_AGENT, pattern="bot")

    page = admin_client.get(reverse("admin:tracking_machinerule_changelist")).content.decode()

    words = [cell.partition(">")[2].partition("<")[0].strip() for cell in page.split("field-origin")[1:]]
    assert sorted(set(words)) == ["Comes with the project", "Edited", "Own"]
    assert words.count("Edited") == words.count("Own") == 1


def test_switching_a_rule_off_is_no_change_of_it(admin_client: Client, rule: MachineRule) -> None:
    admin_client.post(url(rule), typed(rule, is_active=""))

    rule.refresh_from_db()
    assert (rule.is_active, rule.is_changed) == (False, False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pattern": "192.0.2.1/24"}, "is not a network"),
        ({"pattern": ""}, "Write one a line"),
        ({"kind": RuleKind.BURST, "seconds": "0"}, "Write a number of seconds"),
    ],
)
def test_a_rule_that_could_not_be_used_is_refused(
    admin_client: Client, rule: MachineRule, changes: dict[str, str], sentence: str
) -> None:
    page = admin_client.post(url(rule), typed(rule, **changes))

    assert page.status_code == 200
    assert sentence in page.content.decode()


def test_a_rule_of_the_project_cannot_be_deleted_and_can_be_reset(admin_client: Client, rule: MachineRule) -> None:
    MachineRule.objects.filter(pk=rule.pk).update(pattern="192.0.2.0/24", is_changed=True)

    assert admin_client.post(reverse("admin:tracking_machinerule_delete", args=[rule.pk])).status_code == 403
    admin_client.post(
        reverse("admin:tracking_machinerule_changelist"), {"action": "reset_selected", "_selected_action": [rule.pk]}
    )

    rule.refresh_from_db()
    assert "209.222.80.0/21" in rule.pattern


def test_losses_are_listed_and_nothing_else(admin_client: Client) -> None:
    assert admin_client.get(reverse("admin:tracking_eventloss_changelist")).status_code == 200
    assert admin_client.get(reverse("admin:tracking_eventloss_add")).status_code == 403
