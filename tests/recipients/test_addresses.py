"""Addresses: well formed or not, and when two are the same mailbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipients.addresses import AddressError, key, normalise, unquoted


@pytest.mark.parametrize(
    "address",
    [
        "person@example.com",
        "first.last+tag@sub.example.co.uk",
        '"quoted local"@example.com',
        "jörg@example.com",
        "person@bücher.example",
        "用户@例子.广告",
        "o'neil@example.org",
        "x@a-b.example",
    ],
)
def test_it_takes_what_the_standards_allow(address):
    assert normalise(f"  {address} ") == address


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "empty"),
        ("person", "no @ sign"),
        ("@example.com", "incomplete"),
        ("person@", "incomplete"),
        ("two people@example.com", "cannot stand before the @"),
        ("a..b@example.com", "cannot stand before the @"),
        ("a@b@example.com", "cannot stand before the @"),
        ("person@example", "not a complete domain"),
        ("person@-example.com", "not a domain name"),
        ("person@exa mple.com", "not a domain name"),
        ("person@127.0.0.1", "ends with a number"),
        ("person\r\nBcc: x@example.com", "control character"),
        ("per\x00son@example.com", "control character"),
        ("per\u202eson@example.com", "control character"),
        ("x" * 65 + "@example.com", "longer than 64"),
        ("person@" + "a." * 130 + "com", "longer|not a domain"),
        ("person@" + "a" * 64 + ".com", "not a domain name"),
        ("<person@example.com>", "cannot stand|not a domain"),
    ],
)
def test_it_says_what_is_wrong_with_an_address(address, words):
    with pytest.raises(AddressError, match=words):
        normalise(address)


def test_it_knows_one_mailbox_in_every_spelling():
    assert key("Person@EXAMPLE.com") == key("person@example.COM") == "person@example.com"
    assert key("JÖRG@bücher.example") == key("jörg@xn--bcher-kva.example") == "jörg@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a@example.org", "a@example.org"),
        ('"a"@example.org', "a@example.org"),
        (r'"\a\+1.b"@example.org', "a+1.b@example.org"),
        (r'"a\ \b"@example.org', '"a b"@example.org'),
        (r'"a\"\\\@b"@example.org', r'"a\"\\@b"@example.org'),
        ('""@example.org', '""@example.org'),
        ('"a..b"@example.org', '"a..b"@example.org'),
    ],
)
def test_it_does_without_quotes_that_say_nothing(written, meant):
    assert unquoted(normalise(written)) == meant
    assert unquoted(normalise(meant)) == meant


@given(st.emails())
def test_it_normalises_once_and_for_all(address):
    try:
        once = normalise(address)
    except AddressError:
        return

    assert normalise(once) == once
    assert key(once) == key(address) == key(key(address))


@given(st.text(max_size=40))
def test_it_answers_any_text_with_an_address_or_a_sentence(text):
    try:
        answer = normalise(text)
    except AddressError as error:
        answer = str(error)

    assert "@" in answer or answer.endswith(".")
    assert not any(character in answer for character in "\r\n\x00")


@given(st.text(alphabet="abcXYZ019.+-_", min_size=1, max_size=20))
def test_it_compares_without_regard_to_case(local):
    try:
        lower = key(f"{local.lower()}@example.com")
    except AddressError:
        return

    assert key(f"{local.upper()}@EXAMPLE.com") == lower
