from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.rendering.urls import as_location, fixed_host, with_parameters

NAMES = st.text("abcdé_ &=#?", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Shop.Example/a", "shop.example"),
        ("http://shop.example:8080", "shop.example:8080"),
        ("https://shop.example?x", "shop.example"),
        ("https://shop.example\ue0000\ue001/", ""),
        ("https://\ue0000\ue001/", ""),
        ("https://a@shop.example/", ""),
        ("https://shop.example\\@evil.example/", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_a_host_is_fixed_where_nothing_personal_touches_it(address: str, host: str) -> None:
    assert fixed_host(address) == host


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.example", "https://a.example?u=n"),
        ("https://a.example/#f?x", "https://a.example/?u=n#f?x"),
        ("https://a.example/?b=1", "https://a.example/?b=1&u=n"),
        ("https://a.example/?b=1&", "https://a.example/?b=1&u=n"),
        ("https://a.example/?", "https://a.example/?u=n"),
        ("https://a.example/?u=own", "https://a.example/?u=own"),
        ("https://a.example/?b&amp;u=own", "https://a.example/?b&amp;u=own"),
    ],
)
def test_parameters_stand_before_the_fragment_and_replace_nothing(address: str, expected: str) -> None:
    assert with_parameters(address, [("u", "n")]) == expected


@given(st.lists(st.tuples(NAMES, st.text(max_size=10)), max_size=4, unique_by=lambda one: one[0]))
def test_parameters_come_back_as_they_were_given(parameters: list[tuple[str, str]]) -> None:
    address = with_parameters("https://a.example/?x=1#f", parameters)

    assert parse_qsl(urlsplit(address).query, keep_blank_values=True)[1:] == [
        (name, value) for name, value in parameters if name != "x"
    ]


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("HTTPS://Bücher.Example/ä?ü=ö&x=%20#é", "https://xn--bcher-kva.example/%C3%A4?%C3%BC=%C3%B6&x=%20#%C3%A9"),
        (" https://a.example/a b\r\nc ", "https://a.example/a%20bc"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080/"),
    ],
)
def test_a_location_is_ascii_on_one_line(url: str, location: str) -> None:
    assert as_location(url) == location


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "//a.example", "https://", "https://u@a.example/", "https://a:99999/", "mailto:x"],
)
def test_what_is_no_web_address_is_no_location(url: str) -> None:
    with pytest.raises(ValueError):
        as_location(url)


@given(st.text(max_size=40))
def test_whatever_follows_the_host_stays_behind_it(rest: str) -> None:
    location = as_location("https://a.example/" + rest)

    assert location.startswith("https://a.example/")
    assert location.isascii()
    assert location.isprintable()
    assert " " not in location
