"""The pages of what came back: who may look, who may change, what a click does, how much it costs."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from bounces import process as module
from bounces.models import BounceMail, BounceRule, MailState, UnqualifiedText
from bounces.process import process
from campaign.lib.clock import now
from deliveries.models import Message
from deliveries.sending.verdict import Reason
from recipients.models import Quarantine, QuarantineStatus
from tests.bounces import sent
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db

RULES = "/admin/bounces/bouncerule/"
TEXTS = "/admin/bounces/unqualifiedtext/"
MAILS = "/admin/bounces/bouncemail/"
STRANGE = "550 5.0.0 computer says no"
DRAFT = {
    "name": "Own", "position": "10", "is_active": "on", "pattern": "computer says no\r\nanother", "type": "hard",
    "reason": "1", "comment": "",
}  # fmt: skip


def member(group: str) -> Client:
    user = User.objects.create_user(group.lower(), f"{group}@example.com", PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator() -> Client:
    """Somebody who runs the installation."""
    return member("Operator")


@pytest.fixture
def message() -> Message:
    """One that came back in words that no rule knows."""
    (message,) = sent.messages(sent.delivered())
    process(sent.bounce(message, STRANGE), source="Test")
    return message


def test_marketers_look_and_operators_change(message: Message, operator: Client) -> None:
    marketer = member("Marketer")
    text, rule = UnqualifiedText.objects.get(), BounceRule.objects.first()
    assert rule is not None

    for page in (RULES, f"{RULES}{rule.pk}/change/", f"{RULES}try/", TEXTS, f"{TEXTS}{text.pk}/change/", MAILS):
        assert marketer.get(page, follow=True).status_code == 200, page
    assert marketer.post(f"{RULES}add/", DRAFT).status_code == 403
    assert marketer.post(f"{RULES}{rule.pk}/reset/").status_code == 403
    assert marketer.post(f"{TEXTS}{text.pk}/make-rule/", {"type": "hard", "reason": "1"}).status_code == 403
    assert marketer.post(f"{TEXTS}judge/").status_code == 403
    assert "Make a rule" not in marketer.get(f"{TEXTS}{text.pk}/change/").content.decode()

    assert operator.post(f"{RULES}add/", DRAFT).status_code == 302
    assert BounceRule.objects.get(name="Own").pattern == "computer says no\nanother"


def test_strangers_see_nothing(message: Message) -> None:
    nobody = Client()
    nobody.force_login(User.objects.create_user("nobody", password=PASSWORD, is_staff=True))

    for page in (RULES, f"{RULES}try/", TEXTS, MAILS, f"{MAILS}{BounceMail.objects.get().pk}/raw/"):
        assert nobody.get(page).status_code == 403, page


def test_an_unsafe_rule_is_refused_beside_its_field(operator: Client) -> None:
    page = operator.post(f"{RULES}add/", {**DRAFT, "pattern": "(a+)+b"}).content.decode()

    assert "could take too long on some texts" in page
    assert not BounceRule.objects.filter(name="Own").exists()


def test_a_draft_is_tried_before_it_is_saved(operator: Client) -> None:
    given = {**DRAFT, "rule_id": "", "try_text": "550 Computer says no"}

    part = operator.post(f"{RULES}try/", given, headers={"HX-Request": "true"}).content.decode()
    whole = operator.post(f"{RULES}try/", given).content.decode()

    for page in (part, whole):
        assert "Hard, User unknown" in page
        assert "The rule “Own” is the first with a line that matches: “computer says no”" in page
    assert "<html" not in part
    assert not BounceRule.objects.filter(name="Own").exists()


def test_a_recent_text_can_be_chosen_to_try(operator: Client, message: Message) -> None:
    page = operator.post(f"{RULES}try/", {"try_sample": str(UnqualifiedText.objects.get().pk)}).content.decode()

    assert "to qualify" in page
    assert STRANGE in page


def test_what_is_tried_is_shown_as_text(operator: Client) -> None:
    page = operator.post(f"{RULES}try/", {"try_text": "<script>alert(1)</script>"}).content.decode()

    assert "<script>alert" not in page


def test_an_edited_rule_shows_what_differs_and_can_be_set_back(operator: Client) -> None:
    rule = BounceRule.objects.get(name="mailbox full")
    rule.pattern += "\nmy own words"
    rule.save()

    page = operator.get(f"{RULES}{rule.pk}/change/").content.decode()
    assert "This rule was edited" in page
    assert "− my own words" in page
    operator.post(f"{RULES}{rule.pk}/reset/")

    rule.refresh_from_db()
    assert not rule.is_edited


def test_one_click_makes_a_rule_and_judges_the_past(operator: Client, message: Message) -> None:
    text = UnqualifiedText.objects.get()

    answer = operator.post(f"{TEXTS}{text.pk}/make-rule/", {"type": "hard", "reason": "1"}, follow=True)

    message.refresh_from_db()
    assert "1 failure of the past follows it" in answer.content.decode()
    assert (message.failure_type, message.reason) == ("hard", Reason.USER_UNKNOWN)
    assert Quarantine.objects.get().status == QuarantineStatus.QUARANTINE
    assert "Nothing to qualify" in operator.get(TEXTS, follow=True).content.decode()


def test_nothing_is_chosen_for_a_person_who_makes_a_rule(operator: Client, message: Message) -> None:
    text = UnqualifiedText.objects.get()

    form = operator.get(f"{TEXTS}{text.pk}/change/").context["make_form"]
    answer = operator.post(f"{TEXTS}{text.pk}/make-rule/", {"type": "", "reason": ""})

    assert all(field.field.choices[0][0] == "" and "required" in str(field) for field in form)
    assert answer.status_code == 404
    assert UnqualifiedText.objects.filter(pk=text.pk).exists()


def test_texts_that_need_no_rule_are_left(operator: Client, message: Message) -> None:
    text = UnqualifiedText.objects.get()

    operator.post(TEXTS + "?state__exact=to_qualify", {"action": "leave", "_selected_action": [text.pk]})

    text.refresh_from_db()
    assert text.state == "left"


def test_a_kept_mail_is_a_download_and_never_a_page(operator: Client, message: Message) -> None:
    mail = BounceMail.objects.get()

    answer = operator.get(f"{MAILS}{mail.pk}/raw/")

    assert answer.content == bytes(mail.raw)
    assert answer["Content-Disposition"] == f'attachment; filename="mail-{mail.pk}.eml"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert "computer says no" in operator.get(f"{MAILS}{mail.pk}/change/").content.decode()


def test_a_mail_that_was_set_aside_is_tried_again_by_hand(operator: Client, monkeypatch) -> None:
    (message,) = sent.messages(sent.delivered())

    def broken(_raw: bytes) -> None:
        raise ValueError("no")

    with monkeypatch.context() as patched:
        patched.setattr(module, "parse", broken)
        process(sent.bounce(message), source="Test")
    mail = BounceMail.objects.get(state=MailState.SET_ASIDE)

    operator.post(MAILS, {"action": "try_again", "_selected_action": [mail.pk]})

    assert BounceMail.objects.get().state == MailState.PROCESSED
    assert Quarantine.objects.exists()


@pytest.mark.parametrize("count", [1, 60])
def test_lists_cost_the_same_whatever_they_hold(operator: Client, count: int, django_assert_max_num_queries) -> None:
    at = now()
    BounceMail.objects.bulk_create(
        BounceMail(digest=str(number), source="Test", received_at=at, raw=b"x") for number in range(count)
    )
    UnqualifiedText.objects.bulk_create(
        UnqualifiedText(digest=str(number), text=f"t{number}", sample="t", type="soft", first_at=at, last_at=at)
        for number in range(count)
    )
    BounceRule.objects.bulk_create(
        BounceRule(name=f"r{number}", pattern="x", type="soft", reason=3) for number in range(count)
    )

    for page in (MAILS, f"{TEXTS}?state__exact=to_qualify", RULES):
        with django_assert_max_num_queries(10):
            assert operator.get(page).status_code == 200
