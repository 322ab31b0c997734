"""Mailboxes in the administration."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse

from bounces.models import BounceMailbox
from tests.bounces.sources.ways import mailbox
from tests.deliveries.sending.certificates import Authority
from tests.dovecot import Dovecot
from tests.people import logged_in, person

PASSWORD = "top-secret-password"
ADD = "/admin/bounces/bouncemailbox/add/"


def form(**values: Any) -> dict[str, Any]:
    defaults = {
        "name": "Bounces", "is_active": "on", "protocol": "imap", "host": "mail.example.com", "port": 993,
        "security": "tls", "username": "bounces", "login": "password", "grant": "refresh_token",
        "folder": "INBOX", "ours": "move", "ours_folder": "Processed", "interval": "5m",
    }  # fmt: skip
    return {**defaults, **values}


@pytest.fixture
def box(db: None) -> BounceMailbox:
    made = BounceMailbox(name="Bounces", host="mail.example.com", username="bounces")
    made.password = PASSWORD
    made.save()
    return made


def change(client: Client, box: BounceMailbox, **values: Any) -> str:
    page = client.post(reverse("admin:bounces_bouncemailbox_change", args=[box.pk]), form(**values))
    box.refresh_from_db()
    return page.content.decode()


def tried(client: Client, box: BounceMailbox) -> tuple[int, str]:
    box.refresh_from_db()
    values = {name: value for name, value in model_to_dict(box).items() if value is not None}
    values["interval"] = "5m"
    response = client.post(reverse("admin:bounces_bouncemailbox_change", args=[box.pk]), {**values, "_test": ""})
    return response.status_code, " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_it_stores_a_password_sealed_and_never_shows_it(at_marketer: Client) -> None:
    at_marketer.post(ADD, form(new_password=PASSWORD))

    made = BounceMailbox.objects.get()
    page = at_marketer.get(reverse("admin:bounces_bouncemailbox_change", args=[made.pk])).content.decode()
    assert made.password == PASSWORD
    assert PASSWORD not in made.sealed_password
    assert PASSWORD not in page
    assert made.sealed_password not in page
    assert "A password is stored." in page


def test_it_keeps_the_password_unless_told_otherwise(at_marketer: Client, box: BounceMailbox) -> None:
    change(at_marketer, box, host="other.example.com")
    kept = box.password

    change(at_marketer, box, forget_password="on")

    assert (kept, box.password, box.host) == (PASSWORD, "", "mail.example.com")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"protocol": "pop3"}, "POP3 knows no folders."),
        ({"host": "imaps://imap.example.com"}, "Write the name or the address alone"),
        ({"ours_folder": ""}, "Write the folder that they are moved to."),
        ({"ours_folder": "INBOX"}, "This is the folder that is read."),
        ({"interval": "5s"}, "Write a duration from 15s to 1d."),
        ({"port": "0"}, "Write a whole number from 1 to 65,535."),
    ],
)
def test_it_says_what_does_not_fit(at_marketer: Client, db: None, values: dict[str, Any], sentence: str) -> None:
    page = at_marketer.post(ADD, form(**values)).content.decode()

    assert sentence in page
    assert not BounceMailbox.objects.exists()


def test_it_tests_a_connection(at_marketer: Client, dovecot: Dovecot, authority: Authority) -> None:
    status, sentence = tried(at_marketer, mailbox(dovecot, authority, username="tried"))

    assert status == 302
    assert sentence.startswith("Saved.")
    assert "works: logged in as “tried”; TLS 1.3, certificate valid; INBOX holds 0 mails" in sentence


def test_it_says_why_a_connection_does_not_work(at_marketer: Client, box: BounceMailbox) -> None:
    BounceMailbox.objects.update(host="127.0.0.1", port=1)

    assert "refused the connection. Check host and port of the mailbox “Bounces”." in tried(at_marketer, box)[1]


def test_it_says_when_the_stored_password_cannot_be_read(at_marketer: Client, box: BounceMailbox) -> None:
    BounceMailbox.objects.update(sealed_password="broken")

    assert "SECRET_KEY has changed" in tried(at_marketer, box)[1]


def test_a_colleague_sees_how_it_went_and_nothing_of_the_password(at_colleague: Client, box: BounceMailbox) -> None:
    BounceMailbox.objects.update(last_error="The IMAP server said no.", ours_count=1234)

    page = at_colleague.get(reverse("admin:bounces_bouncemailbox_change", args=[box.pk])).content.decode()

    assert "The IMAP server said no." in page
    assert "1,234 ours, 0 not ours" in page
    assert not any(word in page for word in ("new_password", "forget_password", box.sealed_password))
    assert tried(at_colleague, box)[0] == 403


def test_operators_set_mailboxes_and_marketers_do_not(db: None, box: BounceMailbox) -> None:
    """What is set here makes the server connect to a host of somebody's choice."""
    marketer, operator = person("m"), person("o")
    marketer.groups.add(Group.objects.get(name="Marketer"))
    operator.groups.add(Group.objects.get(name="Operator"))

    assert [tried(logged_in(who), box)[0] for who in (marketer, operator)] == [403, 302]
    assert [logged_in(who).get(ADD).status_code for who in (marketer, operator)] == [403, 200]


def test_the_list_takes_few_queries(at_marketer: Client, box: BounceMailbox, django_assert_max_num_queries) -> None:
    for number in range(20):
        BounceMailbox.objects.create(name=f"Box {number}", host="h", username="u")

    with django_assert_max_num_queries(6):
        page = at_marketer.get(reverse("admin:bounces_bouncemailbox_changelist")).content.decode()

    assert "It was not read yet." in page


def test_a_new_one_is_read_each_five_minutes_unless_told_otherwise(at_marketer: Client) -> None:
    page = at_marketer.get(ADD)

    assert page.context["adminform"].form["interval"].value() == "5m"
