"""Who may open which page of the admin, and who may change anything there: every address of its url conf is here.

A new page needs an entry in :data:`PAGES`; a new model needs an object in :func:`world`. Model pages follow one rule.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.db.models import Model, Q
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from bounces.models import BounceMail, BounceMailbox, BounceRule, UnqualifiedText
from campaign.lib.clock import now
from campaign.ui import site
from deliveries.actions.dkim_key import make_key
from deliveries.actions.send_proof import Proof, send_proof
from deliveries.actions.target_file import choose_file
from deliveries.models import (
    Archive,
    Delivery,
    DeliveryTemplate,
    DomainLimit,
    PersonalizationBlock,
    PlatformDefaults,
    Route,
    SeedAddress,
    SeedGroup,
)
from deliveries.pages.acts import ACTS
from deliveries.states import DeliveryState
from recipients import denylist, quarantine
from recipients.models import QuarantinePolicy, Recipient, RecipientImport, SavedQuery, Service
from tests.deliveries.factories import analysed, confirmed, delivery, people
from tests.factories import attribute
from tests.people import at_colleague, at_marketer, at_outsider, colleague, logged_in, marketer, outsider, person
from tracking.models import EventLoss

__all__ = ["at_colleague", "at_marketer", "at_outsider", "colleague", "marketer", "outsider"]

pytestmark = pytest.mark.django_db

MODEL_PAGES = ("changelist", "add", "history", "delete", "change")
APPS = ("bounces", "deliveries", "recipients", "tracking")
"""Apps in which marketer, colleague and outsider have all rights, those to look, and none."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of ours: who may look at it, and the names of what stands in its address."""

    who: str
    """*everybody* who may log in; *lookers*: who may look at deliveries and people; *makers*: who may change them."""
    names: tuple[str, ...] = ()


def _of_delivery(who: str, *more: str) -> Page:
    return Page(who, ("delivery", *more))


PAGES: Mapping[str, Page] = {
    "index": Page("everybody"),
    "search": Page("everybody"),
    "login": Page("everybody"),
    "logout": Page("everybody"),
    "auth_user_password_change": Page("administrators", ("user",)),
    "password_change": Page("everybody"),
    "password_change_done": Page("everybody"),
    "jsi18n": Page("everybody"),
    "autocomplete": Page("administrators"),
    "view_on_site": Page("everybody", ("content type", "delivery")),
    "app_list": Page("lookers", ("app",)),
    "recipients_recipientimport_columns": Page("makers", ("import",)),
    "recipients_recipientimport_progress": Page("makers", ("import",)),
    "recipients_recipientimport_rejects": Page("makers", ("import",)),
    "recipients_recipient_history_file": Page("lookers", ("recipient",)),
    "recipients_savedquery_count": Page("lookers"),
    "deliveries_delivery_create": Page("makers"),
    "deliveries_delivery_headers": Page("makers"),
    "deliveries_delivery_calendar": Page("lookers"),
    "deliveries_delivery_why": Page("lookers"),
    "deliveries_delivery_dashboard": _of_delivery("lookers"),
    "deliveries_delivery_progress": _of_delivery("lookers"),
    "deliveries_delivery_preview": _of_delivery("lookers"),
    "deliveries_delivery_preview_html": _of_delivery("lookers", "recipient"),
    "deliveries_delivery_links": _of_delivery("lookers"),
    "deliveries_delivery_log": _of_delivery("lookers"),
    "deliveries_delivery_in_doubt": _of_delivery("lookers"),
    "deliveries_delivery_failures": _of_delivery("lookers"),
    "deliveries_delivery_exclusions": _of_delivery("lookers"),
    "deliveries_delivery_exclusions_file": _of_delivery("lookers"),
    "deliveries_delivery_estimate": _of_delivery("lookers"),
    "deliveries_delivery_file": _of_delivery("lookers"),
    "deliveries_delivery_file_state": _of_delivery("lookers"),
    "deliveries_delivery_file_rejects": _of_delivery("lookers"),
    "deliveries_delivery_file_removal": _of_delivery("makers"),
    "deliveries_delivery_ab_test": _of_delivery("lookers"),
    "deliveries_delivery_ab_test_removal": _of_delivery("makers"),
    "deliveries_delivery_choose_variant": _of_delivery("makers", "letter"),
    "deliveries_delivery_report": _of_delivery("lookers"),
    "deliveries_delivery_recount": _of_delivery("makers"),
    "deliveries_delivery_export_report": _of_delivery("lookers", "what", "form"),
    "deliveries_delivery_hot_clicks": _of_delivery("lookers"),
    "deliveries_delivery_hot_clicks_html": _of_delivery("lookers", "number"),
    "deliveries_delivery_digest": Page("lookers"),
    "deliveries_delivery_compare": Page("lookers"),
    "deliveries_delivery_proof": _of_delivery("makers"),
    "deliveries_delivery_save_as_template": _of_delivery("makers"),
    "deliveries_delivery_act": _of_delivery("makers", "act"),
    "deliveries_delivery_question": _of_delivery("makers", "act"),
    "deliveries_delivery_export_person": Page("makers", ("recipient",)),
    "deliveries_delivery_erase_person": Page("makers", ("recipient",)),
    "bounces_bouncemail_raw": Page("lookers", ("bounce",)),
    "bounces_bouncerule_reset": Page("makers", ("rule",)),
    "bounces_bouncerule_try": Page("lookers"),
    "bounces_unqualifiedtext_judge": Page("makers"),
    "bounces_unqualifiedtext_make": Page("makers", ("text",)),
    "recipients_quarantine_outage": Page("makers"),
    "deliveries_deliverytemplate_picture": Page("lookers", ("template",)),
    "deliveries_deliverytemplate_duplicate": Page("makers", ("template",)),
    "deliveries_dkimkey_retire": Page("makers", ("key",)),
}

BULK: Mapping[str, tuple[str, ...]] = {
    "deliveries.delivery": (
        "analyse_selected",
        "compare_selected",
        "delete_selected",
        "pause_selected",
        "resume_selected",
    ),
    "tracking.machinerule": ("delete_selected", "reset_selected"),
    "bounces.bouncemail": ("delete_selected", "try_again"),
    "bounces.unqualifiedtext": ("delete_selected", "leave"),
    "recipients.quarantine": ("allow_always", "delete_selected", "release"),
    **dict.fromkeys(
        (
            "auth.group",
            "auth.user",
            "deliveries.personalizationblock",
            "deliveries.seedaddress",
            "deliveries.seedgroup",
            "recipients.attributedefinition",
            "recipients.denylist",
            "recipients.recipient",
            "recipients.recipientimport",
            "recipients.recipientlist",
            "recipients.savedquery",
            "recipients.service",
        ),
        ("delete_selected",),
    ),
}  # fmt: skip
"""What can be done with several at once, by model."""


@dataclass(frozen=True, slots=True)
class World:
    """One of everything."""

    objects: dict[str, Any]

    def of(self, model: type[Model]) -> Any:
        """The object whose pages are opened."""
        label = model._meta.label_lower
        assert label in self.objects or model._default_manager.exists(), f"Make a {label} in world()."
        return self.objects.get(label) or model._default_manager.first()

    def arguments(self, page: Page) -> list[Any]:
        """What stands in the page's address."""
        return [getattr(self.objects[name], "pk", self.objects[name]) for name in page.names]


@pytest.fixture
def world(settings: Any) -> World:
    """One of everything, and deliveries in the states in which the acts could be done."""
    from django.contrib.contenttypes.models import ContentType

    readers = people(3)
    made = analysed(delivery(readers, label="All set"))
    upload = ContentFile(b"address\nnew@example.org\n", name="people.csv")
    choose_file(delivery(readers, label="With a file"), upload)
    confirmed(delivery(readers, label="On its way"))
    send_proof(made, Proof(addresses=["tester@example.com"]))
    attribute("city")
    quarantine.add("full@example.org", reason="Full")
    denylist.deny(Recipient.objects.order_by("pk")[2], source="phone")
    group = SeedGroup.objects.create(name="Us")
    SeedAddress.objects.create(address="seed@example.com").groups.add(group)
    mailbox = BounceMailbox.objects.create(name="Bounces", host="127.0.0.1", port=9, username="bounces")
    bounce = BounceMail.objects.create(digest="1", source="test", received_at=now(), raw=b"")
    text = UnqualifiedText.objects.create(
        digest="1", text="It said no.", sample="It said no.", first_at=now(), last_at=now()
    )
    job = RecipientImport.objects.create(file_name="people.csv")
    job.file.save("people.csv", ContentFile(b"address\na@example.org\n"))
    return World(
        {
            "delivery": made,
            "deliveries.delivery": made,
            "recipient": Recipient.objects.order_by("pk")[0],
            "template": DeliveryTemplate.objects.create(label="Of the test"),
            "import": job,
            "mailbox": mailbox,
            "bounce": bounce,
            "rule": BounceRule.objects.first(),
            "text": text,
            "bounces.bouncemailbox": mailbox,
            "key": make_key("example.com", selector="news"),
            "route": Route.objects.get(is_default=True),
            "content type": ContentType.objects.get_for_model(Delivery),
            "app": "deliveries",
            "act": "confirm",
            "what": "indicators",
            "form": "csv",
            "number": 1,
            "letter": "B",
            "recipients.quarantinepolicy": QuarantinePolicy.objects.ensured(),
            "tracking.eventloss": EventLoss.objects.create(id=1, at=now(), count=3, reason="Redis was away."),
            "user": User.objects.create_superuser("root"),
            "auth.user": User.objects.get(username="root"),
            "auth.group": Group.objects.first() or Group.objects.create(name="Readers"),
            "deliveries.platformdefaults": PlatformDefaults.objects.ensured(),
            "deliveries.archive": Archive.objects.create(name="Vault", stores_files=True),
            "deliveries.domainlimit": DomainLimit.objects.create(domain="example.org", messages_per_second=5),
            "deliveries.personalizationblock": PersonalizationBlock.objects.create(name="mine", label="Mine"),
            "recipients.savedquery": SavedQuery.objects.create(name="All", definition={}),
            "recipients.service": Service.objects.create(name="News"),
        }
    )


def names_of_pages() -> Iterator[str]:
    """The names in the admin's url conf; addresses without one lead to a page that has one, or to none."""

    def walk(patterns: Any) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            elif pattern.name:
                yield pattern.name

    admin = next(one for one in get_resolver().url_patterns if getattr(one, "namespace", None) == site.name)
    yield from walk(admin.url_patterns)  # type: ignore[union-attr]


def model_pages() -> dict[str, tuple[type[Model], str]]:
    """Model and kind of each page that every model has."""
    return {
        f"{model._meta.app_label}_{model._meta.model_name}_{kind}": (model, kind)
        for model in site._registry
        for kind in MODEL_PAGES
    }


def addresses(world: World) -> Iterator[tuple[str, str, str]]:
    """Name, address and who may look, for every page."""
    for name, page in PAGES.items():
        yield name, reverse(f"admin:{name}", args=world.arguments(page)), page.who
    for name, (model, kind) in model_pages().items():
        arguments = [] if kind in {"changelist", "add"} else [world.of(model).pk]
        yield name, reverse(f"admin:{name}", args=arguments), _who(model, kind)


def _who(model: type[Model], kind: str) -> str:
    if model._meta.app_label not in APPS:
        return "administrators"
    if kind not in {"changelist", "change", "history"} or (kind == "change" and model is RecipientImport):
        return "makers"  # how an import went is for those who import
    return "lookers"


def everything() -> dict[str, list[str]]:
    """All rows of the project's models, to see that nothing has changed."""
    models = [model for app in (*APPS, "auth") if apps.is_installed(app) or app == "auth" for model in _models(app)]
    return {
        model._meta.label: [
            str({name: value for name, value in row.items() if name != "last_login"})
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in models
    }


def _models(app: str) -> list[type[Model]]:
    return [model for model in apps.get_app_config(app).get_models() if not model._meta.proxy]


def status(client: Client, method: Callable[..., Any], address: str) -> int:
    """What is answered in the end, redirects inside the admin followed."""
    response = method(address, follow=True)
    if response.streaming:
        response.getvalue()  # read to its end, a file is closed
    return int(response.status_code)


def test_every_page_has_an_entry() -> None:
    assert set(names_of_pages()) == set(PAGES) | set(model_pages())


def test_every_action_on_several_at_once_has_an_entry(world: World, rf: Any) -> None:
    request = rf.get("/admin/")
    request.user = world.objects["user"]

    found = {model._meta.label_lower: tuple(sorted(one.get_actions(request))) for model, one in site._registry.items()}

    assert {label: names for label, names in found.items() if names} == BULK


def test_strangers_are_led_to_the_login_from_every_page(world: World, client: Client) -> None:
    for name, address, _ in addresses(world):
        if name in {"login", "logout", "jsi18n"}:
            continue
        for method in (client.get, client.post):
            response = method(address)
            assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/admin/login/"), name


@pytest.mark.parametrize(("who", "open_to"), [("outsider", {"everybody"}), ("colleague", {"everybody", "lookers"})])
def test_a_page_opens_to_those_it_is_for_and_nobody_else_changes_anything(
    world: World, who: str, open_to: set[str], request: pytest.FixtureRequest
) -> None:
    client = logged_in(request.getfixturevalue(who))
    before = everything()
    wrong = {}

    for name, address, needs in addresses(world):
        if name == "logout":
            continue
        seen = status(client, client.get, address)
        tried = status(client, client.post, address)
        expected = {200, 286, 400, 404, 405} if needs in open_to else {403, 404, 405}
        if seen not in expected or (needs not in open_to and tried not in {403, 404, 405}):
            wrong[name] = (seen, tried)

    assert wrong == {}
    assert everything() == before


def test_who_may_do_everything_finds_no_page_closed(world: World, at_marketer: Client) -> None:
    closed = [
        name
        for name, address, needs in addresses(world)
        if needs != "administrators" and name not in NOBODY and status(at_marketer, at_marketer.get, address) == 403
    ]

    assert closed == []


NOBODY = {
    "deliveries_auditline_add", "deliveries_auditline_delete", "deliveries_platformdefaults_add",
    "deliveries_platformdefaults_delete",
    "bounces_bouncemail_add", "bounces_unqualifiedtext_add", "recipients_quarantinepolicy_add",
    "recipients_quarantinepolicy_delete", "tracking_eventloss_add", "tracking_eventloss_delete",
    # The project's own rules are switched off instead.
    "bounces_bouncerule_delete", "tracking_machinerule_delete",
}  # fmt: skip
"""Pages that are closed to everybody: what they would do is never done."""


@pytest.mark.parametrize("who", ["outsider", "colleague"])
def test_nobody_acts_on_several_at_once_without_the_right_to(
    world: World, who: str, request: pytest.FixtureRequest
) -> None:
    client = logged_in(request.getfixturevalue(who))
    before = everything()

    for model in site._registry:
        label = model._meta.label_lower
        address = reverse(f"admin:{label.replace('.', '_')}_changelist")
        everyone = [str(pk) for pk in model._default_manager.values_list("pk", flat=True)]
        for action in BULK.get(label, ()):
            client.post(address, {"action": action, "_selected_action": everyone, "post": "yes"}, follow=True)

    assert everything() == before


def test_on_several_at_once_each_is_done_by_its_own_rights(world: World, marketer: User) -> None:
    other = person("other", Q())
    theirs = confirmed(delivery(people(1, first=50), label="Theirs"))
    draft = delivery(people(1, first=60), label="Their draft")
    theirs.reviewers.add(other)
    draft.editors.add(other)
    client = logged_in(person("controller", Q(codename__in=["view_delivery", "change_delivery", "delete_delivery"])))
    address = reverse("admin:deliveries_delivery_changelist")

    for action in BULK["deliveries.delivery"]:
        chosen = {"action": action, "_selected_action": [theirs.pk, draft.pk], "post": "yes"}
        client.post(address, chosen, follow=True)

    kept = {one.label: one.current_state for one in Delivery.objects.filter(pk__in=[theirs.pk, draft.pk])}
    assert kept == {"Theirs": DeliveryState.IN_PROGRESS, "Their draft": DeliveryState.EDITING}


RIGHTS = {
    "edit": Q(codename="change_delivery"),
    "start": Q(codename="start_delivery"),
    "control": Q(codename="control_delivery"),
    "add": Q(codename="add_delivery"),
}


@pytest.mark.parametrize("right", RIGHTS)
def test_each_act_takes_the_right_that_it_names(right: str) -> None:
    """By hand-made requests, whatever buttons the page shows."""
    client = logged_in(person("somebody", RIGHTS[right] | Q(codename="view_delivery")))
    made = delivery(people(1))
    allowed = {right, "control"} if right == "start" else {right}

    answers = {
        name: client.post(reverse("admin:deliveries_delivery_act", args=[made.pk, name])).status_code for name in ACTS
    }

    assert {name for name, answer in answers.items() if answer != 403} == {
        name for name, act in ACTS.items() if act.right in allowed
    }


def test_whom_a_delivery_does_not_name_changes_nothing_of_it_by_any_page(marketer: User, world: World) -> None:
    made = world.objects["delivery"]
    other = person("other", Q())
    made.editors.add(other)
    made.reviewers.add(other)
    client = logged_in(marketer)
    pages = [name for name, page in PAGES.items() if "delivery" in page.names and page.who == "makers"]
    pages += ["deliveries_delivery_change", "deliveries_delivery_delete"]
    harmless = {"deliveries_delivery_save_as_template", "deliveries_delivery_recount"}
    before = everything()

    answers = {
        name: client.post(reverse(f"admin:{name}", args=world.arguments(PAGES.get(name, Page("", ("delivery",))))))
        for name in pages
    }

    assert {name for name, answer in answers.items() if answer.status_code not in {403, 405}} == harmless
    assert everything() == before
