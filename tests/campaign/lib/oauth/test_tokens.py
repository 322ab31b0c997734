"""Where access tokens are kept, and when they are fetched: a real token endpoint, real rows, several processes."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from campaign.lib.alone import alone
from campaign.lib.oauth import tokens as module
from campaign.lib.oauth.answer import TokenRefused
from campaign.lib.oauth.tokens import REST, YOUNG, Access, told
from campaign.lib.sealing import SealBroken
from campaign.lib.waiting import Interrupted
from deliveries.models import Route, RouteToken
from tests.token_server import CLIENT_SECRET, REFRESH_TOKEN, TokenServer

pytestmark = pytest.mark.django_db


def patience() -> float:
    return 0.5


@pytest.fixture
def route(db: None, tokens: TokenServer) -> Route:
    """A route that logs in by tokens of the test's endpoint."""
    made = Route(name="Main", host="h", username="ada", auth_mechanism="XOAUTH2", **tokens.login())
    made.client_secret = CLIENT_SECRET
    made.refresh_token = REFRESH_TOKEN
    made.save()
    return made


def access(route: Route) -> Access:
    """Of the row as it is in the database."""
    route.refresh_from_db()
    found = route.access
    assert found is not None
    return found


def later(route: Route, by: timedelta) -> None:
    """Let time pass: all that is known of the token happened so much earlier."""
    kept = RouteToken.objects.get(route=route)
    for name in ("fetched_at", "renew_at", "good_until", "problem_at"):
        if (at := getattr(kept, name)) is not None:
            setattr(kept, name, at - by)
    kept.save()


def test_a_token_is_fetched_once_and_kept_sealed(
    route: Route, tokens: TokenServer, django_assert_num_queries: Any
) -> None:
    first = access(route).token(patience)
    another = access(route)
    with django_assert_num_queries(1):
        second = another.token(patience)

    assert (first, second) == ("a-token", "a-token")
    assert tokens.asked == [
        {
            "grant_type": "refresh_token", "client_id": "the client", "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
        }
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT r::text || coalesce(t::text, '') FROM deliveries_route r, deliveries_routetoken t")
        in_clear = "".join(row[0] for row in cursor.fetchall())
    assert not any(secret in in_clear for secret in ("a-token", CLIENT_SECRET, REFRESH_TOKEN))


def test_client_credentials_need_no_refresh_token(route: Route, tokens: TokenServer) -> None:
    Route.objects.update(grant="client_credentials", scope="https://mail/.default")

    access(route).token(patience)

    assert tokens.asked == [
        {
            "grant_type": "client_credentials", "client_id": "the client", "client_secret": CLIENT_SECRET,
            "scope": "https://mail/.default",
        }
    ]  # fmt: skip


def test_it_is_renewed_a_little_before_its_end(route: Route, tokens: TokenServer) -> None:
    access(route).token(patience)
    tokens.gives("next")
    later(route, timedelta(minutes=54))
    before = access(route).token(patience)

    later(route, timedelta(minutes=2))

    assert (before, access(route).token(patience)) == ("a-token", "next")


def test_a_short_lived_one_is_not_renewed_at_once(route: Route, tokens: TokenServer) -> None:
    tokens.gives("short", expires_in=60)

    found = [access(route).token(patience) for _ in range(3)]

    assert found == ["short"] * 3
    assert len(tokens.asked) == 1


def test_while_the_endpoint_refuses_the_token_that_is_good_still_is_used(
    route: Route, tokens: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    access(route).token(patience)
    tokens.refuses("temporarily_unavailable")
    later(route, timedelta(minutes=56))

    with caplog.at_level(logging.WARNING):
        found = [access(route).token(patience) for _ in range(3)]

    assert found == ["a-token"] * 3
    assert len(tokens.asked) == 2  # asked once more, then left alone
    assert caplog.text.count("was not renewed: The token endpoint 127.0.0.1 has no time") == 1


def test_an_expired_token_is_never_given(route: Route, tokens: TokenServer) -> None:
    access(route).token(patience)
    tokens.refuses("invalid_grant")
    later(route, timedelta(minutes=61))

    with pytest.raises(TokenRefused, match="Have a new one issued, and type it at the route “Main”"):
        access(route).token(patience)


def test_after_a_refusal_nobody_asks_for_a_while_and_everybody_is_told_why(route: Route, tokens: TokenServer) -> None:
    tokens.refuses("invalid_client", f"The secret {CLIENT_SECRET} is wrong.")
    said = []
    for _ in range(3):
        with pytest.raises(TokenRefused) as caught:
            access(route).token(patience)
        said.append(str(caught.value))
    asked = len(tokens.asked)
    tokens.gives("another")
    later(route, REST)

    assert asked == 1
    assert len(set(said)) == 1
    assert CLIENT_SECRET not in said[0] + RouteToken.objects.get().problem
    assert access(route).token(patience) == "another"
    assert RouteToken.objects.get().problem == ""


def test_what_was_refused_with_other_settings_is_no_reason_to_rest(route: Route, tokens: TokenServer) -> None:
    tokens.refuses("invalid_client")
    with pytest.raises(TokenRefused):
        access(route).token(patience)
    tokens.gives("another")
    route.client_secret = "the right one"
    route.save()

    assert access(route).token(patience) == "another"


def test_a_token_that_a_mail_server_refuses_is_replaced_once(route: Route, tokens: TokenServer) -> None:
    access(route).token(patience)
    tokens.gives("next")
    later(route, YOUNG)

    found = [access(route).token(patience, refused="a-token") for _ in range(2)]

    assert found == ["next", "next"]
    assert len(tokens.asked) == 2


def test_a_young_token_is_not_to_blame(route: Route, tokens: TokenServer) -> None:
    access(route).token(patience)
    tokens.gives("next")

    assert access(route).token(patience, refused="a-token") == "a-token"
    assert len(tokens.asked) == 1


def test_a_refresh_token_that_takes_the_place_of_the_former_is_kept(route: Route, tokens: TokenServer) -> None:
    tokens.gives("first", refresh_token="rotated-1")
    access(route).token(patience)
    tokens.gives("second", refresh_token="rotated-2")
    later(route, timedelta(hours=1))
    access(route).token(patience)
    Route.objects.update(client_id="the client's other ID")  # the refresh token stays what it is
    tokens.gives("third")
    later(route, timedelta(hours=1))
    access(route).token(patience)
    later(route, timedelta(hours=1))
    access(route).token(patience)

    assert [form["refresh_token"] for form in tokens.asked] == [REFRESH_TOKEN, "rotated-1", "rotated-2", "rotated-2"]
    assert Route.objects.get().refresh_token == REFRESH_TOKEN
    assert "rotated-2" not in RouteToken.objects.get().sealed_refresh_token


def test_one_that_is_typed_takes_the_place_of_all_before(route: Route, tokens: TokenServer) -> None:
    tokens.gives("first", refresh_token="rotated")
    access(route).token(patience)
    route.refresh_token = "typed anew"
    route.save()

    access(route).token(patience)

    assert [form["refresh_token"] for form in tokens.asked] == [REFRESH_TOKEN, "typed anew"]


def test_a_token_of_other_settings_is_not_used(route: Route, tokens: TokenServer) -> None:
    access(route).token(patience)
    tokens.gives("of-the-other-scope")
    Route.objects.update(scope="other")

    assert access(route).token(patience) == "of-the-other-scope"


def test_testing_fetches_although_one_is_kept(route: Route, tokens: TokenServer) -> None:
    access(route).token(patience)
    tokens.gives("next")

    access(route).fetch(patience)

    assert access(route).token(patience) == "next"


def test_a_row_that_is_gone_or_logs_in_otherwise_by_now_gets_none(route: Route, tokens: TokenServer) -> None:
    former = access(route)
    Route.objects.update(auth_mechanism="PLAIN")

    with pytest.raises(TokenRefused, match="Meanwhile somebody changed how to log in"):
        former.token(patience)
    route.delete()
    with pytest.raises(TokenRefused, match="Meanwhile somebody changed how to log in"):
        former.token(patience)

    assert tokens.asked == []


def test_the_token_goes_with_its_row(route: Route) -> None:
    access(route).token(patience)

    route.delete()

    assert not RouteToken.objects.exists()


def test_it_says_that_a_secret_cannot_be_read(route: Route) -> None:
    Route.objects.update(sealed_client_secret="sealed by nobody")

    with pytest.raises(SealBroken, match="SECRET_KEY has changed"):
        access(route).token(patience)


def test_who_must_end_notes_no_refusal(route: Route) -> None:
    def over() -> float:
        raise Interrupted

    with pytest.raises(Interrupted):
        access(route).token(over)

    assert not RouteToken.objects.exists()


def elsewhere(work: Callable[[], Any], count: int = 1) -> tuple[list[Any], Callable[[], None]]:
    """Do work in threads with database connections of their own; what came of it, and how to wait for it."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except TokenRefused as refusal:
            results.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()

    def join() -> None:
        for thread in threads:
            thread.join(60)

    return results, join


@pytest.mark.django_db(transaction=True)
def test_of_many_who_need_one_only_one_asks(route: Route, tokens: TokenServer) -> None:
    hold = threading.Event()
    tokens.gives("a-token")
    tokens.web.pages["/token"].hold = hold
    wanted = access(route)

    found, join = elsewhere(lambda: wanted.token(patience), count=6)
    hold.set()
    join()

    assert found == ["a-token"] * 6
    assert len(tokens.asked) == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_renewal_while_the_former_token_is_good(route: Route, tokens: TokenServer) -> None:
    access(route).token(patience)
    later(route, timedelta(minutes=56))

    with alone("deliveries.RouteToken", route.pk):
        found, join = elsewhere(lambda: access(route).token(patience))
        join()

    assert found == ["a-token"]
    assert len(tokens.asked) == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_without_end_for_another_process(
    route: Route, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)

    with alone("deliveries.RouteToken", route.pk):
        found, join = elsewhere(lambda: access(route).token(patience))
        join()

    assert found == ["Another process has been asking for an access token for 0 seconds. Try again."]
    assert tokens.asked == []


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_with_another_process_for_an_endpoint_that_fails(route: Route, tokens: TokenServer) -> None:
    tokens.refuses("invalid_client")
    with pytest.raises(TokenRefused) as caught:
        access(route).token(patience)
    later(route, REST)

    with alone("deliveries.RouteToken", route.pk):
        found, join = elsewhere(lambda: access(route).token(patience))
        join()

    assert found == [str(caught.value)]
    assert len(tokens.asked) == 1


def test_it_is_told_how_long_a_token_is_good_and_why_there_is_none(route: Route, tokens: TokenServer) -> None:
    said = [told(route)]
    access(route).token(patience)
    said.append(told(Route.objects.get()))
    later(route, timedelta(hours=2))
    said.append(told(Route.objects.get()))
    tokens.refuses("invalid_grant")
    with pytest.raises(TokenRefused):
        access(route).token(patience)
    said.append(told(Route.objects.get()))
    Route.objects.update(client_id="another")
    said.append(told(Route.objects.get()))

    assert said[0] == said[4] == "None was fetched yet with these settings."
    assert said[1].startswith("Good until ")
    assert said[2] == "It has expired. The next connection fetches another one."
    assert "does not take the refresh token any more" in said[3]


def test_a_kept_token_outlives_a_change_of_the_key_that_seals_it(route: Route, settings: Any) -> None:
    access(route).token(patience)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of the installation, which is long enough to be one"

    assert access(route).token(patience) == "a-token"
