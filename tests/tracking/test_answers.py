"""Clicks and opens as mail programs and people ask for them."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError
from django.test import Client

from campaign.wsgi import application
from deliveries.models import Content, MessageValues
from deliveries.rendering.tracking import HONEYPOT
from tests.deliveries import factories
from tests.tracking.deliveries import HTML, content_of, messages, paths, sent
from tracking import known
from tracking.answers import PIXEL
from tracking.buffer import Buffer
from tracking.hit import Hit
from tracking.models import EventKind, anonymous

pytestmark = pytest.mark.django_db


def ask(path: str, environ: dict[str, Any], **changes: Any) -> tuple[str, dict[str, str], bytes]:
    """What the web process answers, as gunicorn asks it."""
    given: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        given.update(status=status, headers=dict(headers))

    import io

    body = application(
        {
            "PATH_INFO": path, "SERVER_NAME": "testserver", "SERVER_PORT": "80", "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http", "QUERY_STRING": "", **environ, **changes,
        },
        start_response,
    )  # fmt: skip
    return given["status"], given["headers"], b"".join(body)


def seen(buffer: Buffer) -> list[Hit]:
    return [Hit.from_line(line) for line in buffer._waiting]


def test_a_click_leads_on_and_is_noted(buffer: Buffer, environ: dict[str, Any]) -> None:
    [message] = messages(sent())

    status, headers, body = ask(paths(message)[0], environ)

    assert (status, headers["Location"], body) == ("302 Found", "https://shop.example/a?x=1&y=2", b"")
    assert headers["Cache-Control"] == "no-store, private"
    [hit] = seen(buffer)
    assert (hit.kind, hit.message_id, hit.content_id, hit.link) == (EventKind.CLICK, message.pk, message.content_id, 1)
    assert (hit.address, hit.is_head) == ("203.0.113.7", False)


def test_a_personal_link_leads_where_the_message_says(environ: dict[str, Any]) -> None:
    first, second = messages(sent(2))

    locations = [ask(paths(message)[2], environ)[1]["Location"] for message in (first, second)]

    assert locations == ["https://shop.example/name1", "https://shop.example/name2"]


def test_the_pixel_is_a_picture_that_nobody_keeps(buffer: Buffer, environ: dict[str, Any]) -> None:
    [message] = messages(sent())

    status, headers, body = ask(paths(message)[-1], environ)

    assert (status, headers["Content-Type"], body) == ("200 OK", "image/gif", PIXEL)
    assert headers["Cache-Control"] == "no-store, private"
    [hit] = seen(buffer)
    assert (hit.kind, hit.message_id, hit.link) == (EventKind.OPEN, message.pk, 0)


def test_known_contents_are_answered_without_a_query(
    buffer: Buffer, environ: dict[str, Any], django_assert_num_queries: Any
) -> None:
    [message] = messages(sent())
    click, *_, pixel = paths(message)
    ask(click, environ)

    with django_assert_num_queries(0):
        for _ in range(5):
            ask(click, environ)
            ask(pixel, environ)

    assert len(seen(buffer)) == 11


def test_a_head_request_is_answered_without_a_body_and_noted_as_such(buffer: Buffer, environ: dict[str, Any]) -> None:
    [message] = messages(sent())

    status, _, body = ask(paths(message)[-1], environ, REQUEST_METHOD="HEAD")

    assert (status, body) == ("200 OK", b"")
    assert [hit.is_head for hit in seen(buffer)] == [True]


@pytest.mark.parametrize("end", [".", "?x=1", "%3D", ")", "/%22"])
def test_what_gateways_put_behind_a_link_does_no_harm(environ: dict[str, Any], end: str) -> None:
    [message] = messages(sent())

    assert ask(paths(message)[0].upper() + end, environ)[0] == "302 Found"


def test_a_made_up_link_is_a_page_with_404_and_a_made_up_pixel_is_a_picture(
    buffer: Buffer, environ: dict[str, Any]
) -> None:
    [message] = messages(sent())
    click, *_, pixel = paths(message)

    for forged in (click[:-1] + "2", "/c/" + "a" * 49, "/c/x", "/c/" + "%2f" * 500, "/c/" + "é"):
        status, headers, _ = ask(forged, environ)
        assert status == "404 Not Found"
        assert "Location" not in headers
    assert ask(pixel[:-1] + "1", environ)[2] == PIXEL
    assert seen(buffer) == []


def test_the_number_of_another_link_needs_its_code(environ: dict[str, Any]) -> None:
    [message] = messages(sent())
    first, second, *_ = paths(message)

    assert ask(first[:-3] + second[-3:], environ)[0] == "404 Not Found"


def test_links_of_one_message_do_not_open_another_content(environ: dict[str, Any]) -> None:
    one, other = sent(label="One"), sent(label="Other", html='<a href="https://other.example/">A</a>')
    [message] = messages(one)[:1]
    Content.objects.filter(pk=content_of(one).pk).delete()

    assert ask(paths(messages(other)[0])[0], environ)[0] == "302 Found"
    known.forget()
    assert message.content_id not in set(Content.objects.values_list("pk", flat=True))


def test_nothing_is_noted_before_a_delivery_starts(buffer: Buffer, environ: dict[str, Any]) -> None:
    [message] = messages(factories.analysed(factories.delivery(factories.people(1), html=HTML)))

    assert ask(paths(message)[0], environ)[0] == "302 Found"
    assert seen(buffer) == []


def test_without_individual_tracking_nobodys_number_is_noted(buffer: Buffer, environ: dict[str, Any]) -> None:
    made = sent(track_individuals=False)
    [message] = messages(made)

    ask(paths(message)[0], environ)

    assert [hit.message_id for hit in seen(buffer)] == [anonymous(made.pk)]


def test_after_its_time_a_link_leads_to_the_page_named_for_that(buffer: Buffer, environ: dict[str, Any]) -> None:
    made = sent(tracking_validity=timedelta(minutes=30), substitution_url="https://shop.example/ü")
    click, *_, pixel = paths(messages(made)[0])

    status, headers, _ = ask(click, environ)

    assert (status, headers["Location"]) == ("302 Found", "https://shop.example/%C3%BC")
    assert ask(pixel, environ)[2] == PIXEL
    assert seen(buffer) == []


def test_after_its_time_a_link_without_such_a_page_says_so(environ: dict[str, Any]) -> None:
    made = sent(tracking_validity=timedelta(minutes=30))

    status, _, body = ask(paths(messages(made)[0])[0], environ)

    assert status == "410 Gone"
    assert b"This link has ended" in body


def test_within_its_time_a_link_leads_on(environ: dict[str, Any]) -> None:
    made = sent(tracking_validity=timedelta(hours=2))

    assert ask(paths(messages(made)[0])[0], environ)[0] == "302 Found"


def test_a_personal_link_ends_with_the_personal_values(environ: dict[str, Any]) -> None:
    [message] = messages(sent())
    plain, _, personal, *_ = paths(message)
    MessageValues.objects.all().delete()

    assert ask(personal, environ)[0] == "410 Gone"
    assert ask(plain, environ)[0] == "302 Found"


def test_the_invisible_link_is_noted_and_leads_nowhere(buffer: Buffer, environ: dict[str, Any]) -> None:
    made = sent(honeypot=True)
    trap = next(path for path in paths(messages(made)[0]) if path.endswith("fff"))

    status, headers, _ = ask(trap, environ)

    assert status == "404 Not Found"
    assert "Location" not in headers
    assert [hit.link for hit in seen(buffer)] == [HONEYPOT]


def test_a_look_at_the_mirror_page_is_noted_and_clicks_there_are_clicks(buffer: Buffer, client: Client) -> None:
    [message] = messages(sent())
    from campaign.lib.signing import MIRROR, token

    page = client.get(f"/m/{token(MIRROR, message.content_id, message.pk, bytes(message.content.key))}")

    assert paths(message)[0] in page.content.decode()
    assert [(hit.kind, hit.message_id) for hit in seen(buffer)] == [(EventKind.MIRROR, message.pk)]


def test_a_mirror_page_of_an_untracked_delivery_is_not_noted(buffer: Buffer, client: Client) -> None:
    [message] = messages(sent(track_clicks=False, track_opens=False))
    from campaign.lib.signing import MIRROR, token

    client.get(f"/m/{token(MIRROR, message.content_id, message.pk, bytes(message.content.key))}")

    assert seen(buffer) == []


def test_links_are_read_only(client: Client) -> None:
    [message] = messages(sent())

    assert client.post(paths(message)[0]).status_code == 405


def test_the_pixel_comes_although_the_database_is_away(
    environ: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    [message] = messages(sent())
    pixel = paths(message)[-1]

    monkeypatch.setattr(known, "content", away)

    assert ask(pixel, environ)[2] == PIXEL


def away(*_: Any) -> None:
    raise InterfaceError("connection already closed")


def test_a_known_link_leads_on_although_the_database_is_away_for_long(
    buffer: Buffer, environ: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    [message] = messages(sent())
    ask(paths(message)[0], environ)
    asked: list[int] = []

    def ask_again(delivery_id: int) -> None:
        asked.append(delivery_id)
        away()

    monkeypatch.setattr(known, "_asked", ask_again)
    monkeypatch.setattr(known, "time", SimpleNamespace(monotonic=lambda: 1e9))

    answers = [ask(paths(message)[0], environ) for _ in range(2)]

    assert [headers["Location"] for _, headers, _ in answers] == ["https://shop.example/a?x=1&y=2"] * 2
    assert len(seen(buffer)) == 3
    assert len(asked) == 1  # nobody else waits for a database that is away


def test_an_unknown_link_is_answered_by_a_page_while_the_database_is_away(
    environ: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    [message] = messages(sent())
    monkeypatch.setattr(known, "content", away)

    status, headers, _ = ask(paths(message)[0], environ)

    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "10")


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_noted(
    buffer: Buffer, environ: dict[str, Any], settings: Any
) -> None:
    settings.BEHIND_PROXY = True
    [message] = messages(sent())

    ask(paths(message)[0], environ, HTTP_X_FORWARDED_FOR="10.0.0.1, 198.51.100.9", REMOTE_ADDR="127.0.0.1")

    assert [hit.address for hit in seen(buffer)] == ["198.51.100.9"]


def test_a_user_agent_is_cut_off_and_has_no_control_characters(buffer: Buffer, environ: dict[str, Any]) -> None:
    [message] = messages(sent())

    ask(paths(message)[0], environ, HTTP_USER_AGENT="\x00<script>" + "x" * 5000)

    [hit] = seen(buffer)
    assert hit.user_agent.startswith("<script>x")
    assert len(hit.user_agent) == 400


def test_everything_else_goes_to_django(environ: dict[str, Any]) -> None:
    status, _, body = ask("/campaign", environ)

    assert status == "404 Not Found"
    assert b"There is nothing here" in body
