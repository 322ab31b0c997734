import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.oauth.answer import (
    LIFETIME_UNSAID,
    LONGEST_LIFETIME,
    MOST_WORDS,
    Answer,
    Granted,
    TokenRefused,
    understand,
    words_of,
)

SECRETS = ("s3cret, with a space", "1//refresh")


def answer(status: int = 200, **said: Any) -> Answer:
    return Answer(status, json.dumps(said).encode(), "application/json")


def understood(given: Answer, grant: str = "refresh_token") -> Granted:
    return understand(given, host="login.example.com", label="the route “Main”", grant=grant, secrets=SECRETS)


def refusal(given: Answer) -> str:
    with pytest.raises(TokenRefused) as caught:
        understood(given)
    return str(caught.value)


def test_a_token_comes_with_its_lifetime_and_the_next_refresh_token() -> None:
    granted = understood(answer(access_token="abc", token_type="bearer", expires_in=3599, refresh_token="next"))

    assert granted == Granted("abc", timedelta(seconds=3599), "next")
    assert "abc" not in repr(granted)
    assert "next" not in repr(granted)


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        ("3600", timedelta(hours=1)),  # as some endpoints write it
        (None, LIFETIME_UNSAID),
        (0, LIFETIME_UNSAID),
        (-1, LIFETIME_UNSAID),
        ("soon", LIFETIME_UNSAID),
        (True, LIFETIME_UNSAID),
        ([], LIFETIME_UNSAID),
        (float("nan"), LIFETIME_UNSAID),
        (float("inf"), LONGEST_LIFETIME),
        (10**400, LIFETIME_UNSAID),
        (86_400 * 365, LONGEST_LIFETIME),
    ],
)
def test_a_lifetime_is_what_can_be_believed(expires_in: object, lifetime: timedelta) -> None:
    assert understood(answer(access_token="abc", expires_in=expires_in)).lifetime == lifetime


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            answer(400, error="invalid_grant", error_description="AADSTS700082: The refresh token has expired."),
            "expired or was revoked (“AADSTS700082: The refresh token has expired”). Have a new one issued",
        ),
        (answer(400, error="invalid_grant"), "expired or was revoked. Have a new one issued"),
        (answer(401, error="invalid_client"), "does not know client ID and client secret. Check both at the route"),
        (answer(400, error="unauthorized_client"), "does not let this client have tokens in this way. Allow it there"),
        (answer(400, error="unsupported_grant_type"), "knows no such grant. Choose the other grant at the route"),
        (answer(400, error="invalid_scope"), "does not give this scope. Check the scope of the route “Main”."),
        (answer(403, error="access_denied"), "denied access. Have an administrator there consent"),
        (answer(400, error="temporarily_unavailable"), "has no time. It is asked again by itself."),
        (answer(400, error="invalid_request"), "gave no token (HTTP 400) (“invalid_request”). Check tenant"),
        (answer(400, error={"code": 1}), "gave no token (HTTP 400). Check tenant or token address"),
        (answer(503, error="busy"), "does not work at the moment (HTTP 503) (“busy”). It is asked again by itself."),
        (answer(200), "gave no token (HTTP 200). Check"),
        (answer(200, access_token=""), "gave no token (HTTP 200). Check"),
        (answer(400, access_token="abc"), "gave no token (HTTP 400). Check"),
        (answer(access_token="abc", token_type="mac"), "gave a token of a kind that no mail server takes"),
        (answer(access_token="a b"), "gave a token that AUTH cannot carry"),
        (answer(access_token="a\r\nQUIT"), "gave a token that AUTH cannot carry"),
        (answer(access_token="x" * 8_193), "gave a token that AUTH cannot carry"),
        (answer(access_token="abc", refresh_token=["x"]), "gave a token that AUTH cannot carry"),
        (Answer(200, b"<!DOCTYPE html>", "text/plain"), "answered with a web page (HTTP 200) instead of a token"),
        (Answer(403, b"No", "text/html"), "answered with a web page (HTTP 403) instead of a token"),
        (Answer(200, b"", ""), "answered (HTTP 200) with something that is no JSON. Check the token address"),
        (Answer(200, b"[1]", "application/json"), "with something that is no JSON"),
        (Answer(200, b"[" * 60_000, "application/json"), "with something that is no JSON"),
        (Answer(200, b"9" * 10_000, "application/json"), "with something that is no JSON"),
        (Answer(502, b"<html>", "text/html"), "does not work at the moment (HTTP 502). It is asked again by itself."),
        (
            Answer(302, b'{"access_token": "abc"}', "", "other.example"),
            "leads on to other.example (HTTP 302), where no secret is sent. Enter the address that it leads to",
        ),
        (Answer(307, b"", "", ""), "leads on (HTTP 307), where no secret is sent"),
    ],
)  # fmt: skip
def test_a_refusal_is_a_sentence_that_says_what_to_mend(given: Answer, sentence: str) -> None:
    assert sentence in refusal(given)


def test_who_showed_no_refresh_token_is_not_told_that_it_expired() -> None:
    with pytest.raises(TokenRefused, match="does not let this client have tokens in this way"):
        understood(answer(400, error="invalid_grant"), "client_credentials")


@pytest.mark.parametrize("secret", [*SECRETS, quote_plus(SECRETS[0]), "e" * 40 + "." + "y" * 300])
def test_no_secret_comes_back_in_the_endpoints_words(secret: str) -> None:
    said = refusal(answer(400, error="invalid_grant", error_description=f"bad {secret}, sorry"))

    assert secret not in said
    assert "bad …, sorry" in said


words = st.text() | st.builds(lambda before, secret, after: before + secret + after, st.text(), st.sampled_from(SECRETS), st.text())  # fmt: skip  # noqa: E501


@given(words)
def test_whatever_it_says_is_one_short_line_without_secrets(said: str) -> None:
    told = words_of(said, SECRETS)

    assert len(told) <= MOST_WORDS
    assert told == " ".join(told.split())
    assert told.encode().decode() == told  # no half characters, which the database refuses
    assert "\0" not in told
    assert not any(secret in told for secret in SECRETS)


def test_nothing_in_its_words_turns_the_sentence_around_or_is_unseen() -> None:
    assert words_of("a\u202ebad\u2069 \ufeffscope\u200b!", SECRETS) == "a bad scope !"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
fields = st.sampled_from(["access_token", "token_type", "expires_in", "refresh_token", "error", "error_description"])


@given(
    st.sampled_from([200, 302, 400, 401, 429, 500]),
    st.binary() | st.dictionaries(fields, json_values).map(lambda said: json.dumps(said).encode()),
)
def test_whatever_comes_is_a_token_or_a_sentence(status: int, content: bytes) -> None:
    try:
        granted, sentence = understood(Answer(status, content)), "."
    except TokenRefused as refused:
        granted, sentence = Granted("token", LIFETIME_UNSAID), str(refused)

    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert granted.access_token.isprintable()
    assert timedelta(0) < granted.lifetime <= LONGEST_LIFETIME
