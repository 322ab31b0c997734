"""The admin's frame."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery
from tests.factories import recipient
from tests.people import PASSWORD, logged_in, person

POLICY = {
    "default-src 'self'",
    "script-src 'self' 'unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "frame-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
    "base-uri 'self'",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> User:
    return User.objects.create_superuser("root", "root@example.com", PASSWORD)


@pytest.mark.parametrize("name", ["index", "login", "deliveries_delivery_changelist", "jsi18n", "auth_user_changelist"])
def test_it_gives_every_admin_page_one_policy(administrator: User, name: str) -> None:
    query = {"next": "/admin/"} if name == "login" else {}
    client = Client() if name == "login" else logged_in(administrator)

    response = client.get(reverse(f"admin:{name}"), query)

    assert response.status_code == 200
    assert set(response["Content-Security-Policy"].split("; ")) == POLICY


def test_it_leads_home_after_a_login_that_came_from_nowhere(administrator: User) -> None:
    client = Client()
    form = client.get(reverse("admin:login"), follow=True)

    response = client.post(
        form.request["PATH_INFO"] + "?" + form.request["QUERY_STRING"], {"username": "root", "password": PASSWORD}
    )

    assert response["Location"] == reverse("admin:index")


def test_it_asks_strangers_to_log_in() -> None:
    response = Client().get(reverse("admin:deliveries_delivery_create"))

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


def test_it_shows_only_what_a_person_may_view_in_the_sidebar() -> None:
    page = logged_in(person("outsider")).get(reverse("admin:index")).content.decode()

    assert reverse("admin:index") in page
    assert reverse("admin:deliveries_route_changelist") not in page


def test_it_has_a_main_landmark_and_a_way_to_skip_to_it(administrator: User) -> None:
    page = logged_in(administrator).get(reverse("admin:index")).content.decode()

    assert '<a class="c-skip" href="#main">' in page
    assert '<main id="main"' in page


def test_it_says_whom_to_ask_for_a_permission() -> None:
    response = logged_in(person("outsider")).get(reverse("admin:deliveries_delivery_changelist"))

    assert response.status_code == 403
    assert "Ask an administrator" in response.content.decode()


def test_its_title_shows_an_address_as_it_is_and_names_of_models_with_a_capital(administrator: User) -> None:
    ada = recipient("ada@example.org")
    browser = logged_in(administrator)

    person_page = browser.get(f"/admin/recipients/recipient/{ada.pk}/change/").content.decode()
    own_page = browser.get(f"/admin/deliveries/delivery/{Delivery.objects.create(label='spring').pk}/").content.decode()

    heading = person_page.partition("<h1")[2].partition("</h1>")[0]
    assert re.findall(r">\s*(\w[^<]*?)\s*<", heading.replace("chevron_right", "")) == [
        "Recipients", "ada@example.org",
    ]  # fmt: skip
    assert re.search(r">\s*spring\s*<", own_page.partition("<h1")[2].partition("</h1>")[0])


def test_an_empty_list_says_what_there_is_not(administrator: User) -> None:
    browser = Client()
    browser.force_login(administrator)

    empty = browser.get("/admin/deliveries/domainlimit/").content.decode()
    searched = browser.get("/admin/deliveries/delivery/?q=nothing").content.decode()

    assert "There is no domain limit yet" in empty
    assert re.search(r"<title>\s*Domain limits \|", empty)
    assert " results" not in empty
    assert "0 results" in searched
    assert "Add domain limit" in empty
    assert "Nothing matches" in searched
