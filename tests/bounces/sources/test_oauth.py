"""Mailboxes that are logged in to by access tokens: a real token endpoint, and a real Dovecot that takes them."""

import functools
import logging
from datetime import timedelta

import pytest

from bounces.models import BounceMailbox, MailboxToken
from bounces.sources.collect import look
from bounces.sources.mailbox import MailboxUnavailable
from campaign.lib.oauth.answer import TokenRefused
from campaign.lib.oauth.tokens import YOUNG
from tests.bounces.sources.ways import FOREIGN, Make, read
from tests.dovecot import PASSWORD, Dovecot
from tests.token_server import CLIENT_SECRET, REFRESH_TOKEN, TokenServer

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["imap", "pop3"])
def make(make: Make, tokens: TokenServer, request: pytest.FixtureRequest) -> Make:
    """Mailboxes with a token for Dovecot, which takes its password for one."""
    tokens.gives(PASSWORD)

    def made(**values: object) -> BounceMailbox:
        box = make(protocol=request.param, **{"login": "xoauth2", **tokens.login(), **values})
        box.password, box.client_secret, box.refresh_token = "not this", CLIENT_SECRET, REFRESH_TOKEN
        box.save()
        return box

    return functools.partial(made)


def aged(by: timedelta) -> None:
    """The kept token is older than it was."""
    kept = MailboxToken.objects.get()
    assert kept.fetched_at is not None
    MailboxToken.objects.update(fetched_at=kept.fetched_at - by)


@pytest.mark.parametrize("login", ["xoauth2", "oauthbearer"])
def test_a_mailbox_is_read_by_a_token_that_is_fetched_once(
    dovecot: Dovecot, make: Make, tokens: TokenServer, login: str
) -> None:
    box = make(login=login)
    dovecot.put(box.username, FOREIGN)

    for _ in range(3):
        read(box)

    assert (box.left_count, box.last_error) == (1, "")
    assert len(tokens.asked) == 1


@pytest.mark.parametrize("login", ["xoauth2", "oauthbearer"])
def test_a_token_that_the_server_refuses_is_fetched_anew_once(
    dovecot: Dovecot, make: Make, tokens: TokenServer, login: str
) -> None:
    box = make(login=login)
    dovecot.put(box.username, FOREIGN)
    tokens.gives("revoked")
    read(box)
    tokens.gives(PASSWORD)
    aged(YOUNG)

    refused = box.last_error
    read(box)

    assert "refused the access token: " in refused
    assert f"Check user name and scope of the mailbox “{box.name}”, and whether its client may read" in refused
    assert "revoked" not in refused
    assert (box.left_count, box.last_error) == (1, "")
    assert len(tokens.asked) == 2


def test_a_server_that_refuses_every_token_makes_nobody_fetch_without_end(
    dovecot: Dovecot, make: Make, tokens: TokenServer
) -> None:
    box = make()
    tokens.gives("never-good")

    for _ in range(3):
        read(box)

    assert "refused the access token" in box.last_error
    assert len(tokens.asked) == 1


def test_a_mailbox_says_why_it_gets_no_token(make: Make, tokens: TokenServer, caplog: pytest.LogCaptureFixture) -> None:
    box = make()
    tokens.refuses("invalid_grant", f"Token {REFRESH_TOKEN} of {CLIENT_SECRET} was revoked.")

    with caplog.at_level(logging.DEBUG):
        read(box)

    assert box.last_error == (
        "The token endpoint 127.0.0.1 does not take the refresh token any more, which expired or was revoked "
        f"(“Token … of … was revoked”). Have a new one issued, and type it at the mailbox “{box.name}”."
    )
    assert not any(secret in caplog.text for secret in (REFRESH_TOKEN, CLIENT_SECRET))


def test_testing_says_where_the_token_is_from(dovecot: Dovecot, make: Make, tokens: TokenServer) -> None:
    box = make()

    said = look(box)

    assert f"works: logged in as “{box.username}” with an access token from 127.0.0.1; TLS 1.3" in said
    assert PASSWORD not in said


def test_testing_tells_that_the_endpoint_refuses_while_a_kept_token_is_good(
    dovecot: Dovecot, make: Make, tokens: TokenServer
) -> None:
    box = make()
    look(box)
    tokens.refuses("invalid_client")

    with pytest.raises(TokenRefused, match="does not know client ID and client secret"):
        look(box)
    read(box)

    assert box.last_error == ""  # the kept one is good for an hour


def test_testing_tells_that_the_mailbox_refuses_the_token(make: Make, tokens: TokenServer) -> None:
    box = make()
    tokens.gives("somebody-elses")

    with pytest.raises(MailboxUnavailable, match="refused the access token") as caught:
        look(box)

    assert "somebody-elses" not in str(caught.value)
    assert len(tokens.asked) == 1
