import base64
import hmac
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.signing import (
    LINK_CHARACTERS,
    MAX_LINK,
    MIRROR,
    RETURN,
    UNSUBSCRIBE,
    UNSUBSCRIBE_BY_MAIL,
    Identifier,
    InvalidToken,
    hmac_sha256,
    link_prefix,
    link_suffix,
    return_token,
    split,
    split_link,
    split_return,
    token,
    verify,
    verify_link,
    verify_return,
)

KEY = bytes(range(32))

content_ids = st.integers(0, 2**32 - 1)
message_ids = st.integers(0, 2**64 - 1)


@given(content_ids, message_ids, st.binary(min_size=32, max_size=32))
def test_it_finds_the_numbers_again_and_accepts_its_own_signature(content_id, message_id, key):
    identifier = split(token(MIRROR, content_id, message_id, key))

    assert (identifier.content_id, identifier.message_id) == (content_id, message_id)
    assert verify(MIRROR, identifier, key)


def test_it_makes_the_same_token_on_every_day_and_machine():
    assert token(MIRROR, 1, 2**32 + 7, KEY) == "AAAAAQAAAAEAAAAH3dCcrxDl4S-rgiS08KnYsQ"


def test_it_refuses_a_token_made_for_another_purpose():
    assert not verify(UNSUBSCRIBE, split(token(MIRROR, 1, 2, KEY)), KEY)


def test_it_refuses_another_key():
    assert not verify(MIRROR, split(token(MIRROR, 1, 2, KEY)), bytes(32))


@given(st.integers(0, 37), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
def test_it_refuses_a_token_with_any_character_changed(position, character):
    genuine = token(MIRROR, 12, 345, KEY)
    forged = genuine[:position] + character + genuine[position + 1 :]

    try:
        accepted = verify(MIRROR, split(forged), KEY)
    except InvalidToken:
        accepted = False

    assert accepted == (forged == genuine)


@given(st.text())
def test_it_raises_nothing_but_invalid_token_for_any_text(text):
    with suppress(InvalidToken):
        assert isinstance(split(text), Identifier)


@pytest.mark.parametrize("spelling", ["{}=", "{}==", " {}", "{}\n", "{}A"])
def test_it_knows_one_spelling_only(spelling):
    with pytest.raises(InvalidToken):
        split(spelling.format(token(MIRROR, 1, 2, KEY)))


@given(message_ids, st.binary(min_size=32, max_size=32))
def test_it_writes_the_token_of_an_address_in_the_base32_of_everybody(message_id, key):
    written = return_token(message_id, key)

    number, mac = split_return(written)
    assert written == base64.b32encode(number.to_bytes(8) + mac).decode().lower()
    assert number == message_id
    assert verify_return(number, mac, key)


@given(message_ids)
def test_it_tells_a_bounce_from_an_unsubscription(message_id):
    number, mac = split_return(return_token(message_id, KEY, UNSUBSCRIBE_BY_MAIL))

    assert verify_return(number, mac, KEY, UNSUBSCRIBE_BY_MAIL)
    assert not verify_return(number, mac, KEY, RETURN)


links = st.integers(0, MAX_LINK)


def link_token(content_id, message_id, link, key):
    return link_prefix(content_id, message_id, key) + link_suffix(link, key)


@given(content_ids, message_ids, links, st.binary(min_size=32, max_size=32))
def test_a_link_of_a_message_is_found_again_and_accepted(content_id, message_id, link, key):
    code = link_token(content_id, message_id, link, key)

    identifier = split_link(code)

    assert len(code) == LINK_CHARACTERS
    assert (identifier.content_id, identifier.message_id, identifier.link) == (content_id, message_id, link)
    assert verify_link(identifier, key)


def test_the_code_of_a_link_stays_the_same_for_ever():
    assert link_token(12, (5 << 32) | 1, 3, KEY) == "aaaaadaaaaaakaaaaaasprecaor6ig35guwfuu2m028fed003"


@given(st.integers(0, LINK_CHARACTERS - 1), st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789"))
def test_a_link_with_any_character_changed_is_refused(position, character):
    genuine = link_token(12, 345, 7, KEY)
    forged = genuine[:position] + character + genuine[position + 1 :]

    try:
        accepted = verify_link(split_link(forged), KEY)
    except InvalidToken:
        accepted = False

    assert accepted == (forged == genuine)


@given(key=st.binary(max_size=200), data=st.binary(max_size=200))
def test_its_hmac_is_everybodys(key, data):
    assert hmac_sha256(key, data) == hmac.digest(key, data, "sha256")
