"""The envelope sender and what becomes of it on the way."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.signing import UNSUBSCRIBE_BY_MAIL, InvalidToken, return_token, split_return, verify_return
from deliveries.rendering.merge import MessageError
from deliveries.rendering.return_path import (
    MOST_LOCAL,
    ReturnPath,
    envelope_sender,
    tokens_in,
    unsubscription_mailto,
)
from tests.deliveries.rendering.contents import KEY, renderer, row

IDS = st.integers(min_value=1, max_value=2**63 - 1)
KEYS = st.binary(min_size=32, max_size=32)


@given(number=IDS, key=KEYS, form=st.sampled_from([ReturnPath.SUB_ADDRESS, ReturnPath.DOMAIN]), data=st.data())
def test_it_finds_the_message_again_whatever_happens_to_the_case(
    number: int, key: bytes, form: ReturnPath, data: st.DataObject
) -> None:
    sender = envelope_sender("bounces@example.com", form, return_token(number, key))
    changed = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in sender)

    [token] = tokens_in(changed)

    message_id, mac = split_return(token)
    assert message_id == number
    assert verify_return(message_id, mac, key)


@pytest.mark.parametrize("mark", ["prvs=1234567890={}", "SRS0=HHH=TT=example.net={}", "{}=example.org", "bounces={}"])
def test_it_finds_the_message_behind_what_gateways_put_around(mark: str) -> None:
    token = return_token(5, KEY)

    assert list(tokens_in(mark.format(f"bounces+{token}") + "@example.com")) == [token]


@given(number=IDS, key=KEYS, other=KEYS)
def test_it_takes_no_identifier_made_with_another_key(number: int, key: bytes, other: bytes) -> None:
    message_id, mac = split_return(return_token(number, other))

    assert verify_return(message_id, mac, key) == (key == other)


@given(number=IDS, another=IDS)
def test_it_takes_no_code_of_another_message(number: int, another: int) -> None:
    _, mac = split_return(return_token(number, KEY))

    assert verify_return(another, mac, KEY) == (another == number)


@given(st.text(max_size=80))
def test_it_reads_any_address_without_breaking(address: str) -> None:
    for token in tokens_in(address):
        split_return(token)


@pytest.mark.parametrize("token", ["", "a", "a" * 31, "a" * 40, "1" * 32, "ä" * 32])
def test_it_refuses_what_is_no_identifier(token: str) -> None:
    with pytest.raises(InvalidToken):
        split_return(token)


def test_it_keeps_the_local_part_within_its_64_octets() -> None:
    longest = "b" * MOST_LOCAL

    sender = envelope_sender(f"{longest}@example.com", ReturnPath.SUB_ADDRESS, "a" * 32)

    assert len(sender.partition("@")[0]) == 64
    with pytest.raises(MessageError, match="leaves no room for the message's identifier"):
        envelope_sender(f"{longest}b@example.com", ReturnPath.SUB_ADDRESS, "a" * 32)


def test_it_personalizes_the_error_address_and_names_the_message_in_it() -> None:
    made = renderer(error_address="{{ recipient.language }}-bounces@example.com", return_path=ReturnPath.SUB_ADDRESS)
    one = row(made, language="fr")

    assert made.mail(one).sender == f"fr-bounces+{return_token(one.id, KEY)}@example.com"


def test_it_leaves_the_error_address_as_it_is_when_the_platform_says_so() -> None:
    made = renderer(error_address="bounces@example.com", return_path=ReturnPath.PLAIN)

    assert made.mail(row(made)).sender == "bounces@example.com"


LOCALS = st.text("abcXYZ019.!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=40)


@given(LOCALS, st.integers(0, 2**63), st.sampled_from(ReturnPath))
def test_a_mailto_names_its_message_wherever_the_return_path_puts_it(local: str, number: int, form: ReturnPath) -> None:
    token = return_token(number, KEY, UNSUBSCRIBE_BY_MAIL)

    written = unsubscription_mailto(f"{local}@example.com", form, token)

    if form is ReturnPath.SUB_ADDRESS and len(local) > MOST_LOCAL:
        assert written == ""
        return
    uri = urlsplit(written)
    assert (uri.scheme, uri.fragment, " " in written, ">" in written) == ("mailto", "", False, False)
    subject = parse_qs(uri.query)["subject"][0]
    assert subject.startswith("unsubscribe")
    assert token in [*tokens_in(unquote(uri.path)), *tokens_in(f"{subject}@")]


@pytest.mark.parametrize("address", ["bounces@localhost", "bücher@example.com", '"two words"@example.com'])
def test_it_offers_no_mailto_that_leads_nowhere(address: str) -> None:
    assert unsubscription_mailto(address, ReturnPath.SUB_ADDRESS, return_token(5, KEY)) == ""
