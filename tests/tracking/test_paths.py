import quopri
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.signing import link_prefix, link_suffix
from tracking.paths import identifiers_in, kind_and_rest

KEY = bytes(range(32))
TOKEN = link_prefix(3, (9 << 32) | 41, KEY) + link_suffix(5, KEY)
ALNUM = "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.mark.parametrize(
    "written",
    [
        TOKEN,
        TOKEN.upper(),
        TOKEN.title(),
        TOKEN + ".",
        TOKEN + ")",
        TOKEN + "%22%3E",
        TOKEN + "/",
        TOKEN + "?utm_source=gateway",
        TOKEN + "&data=05%7C02",
        TOKEN + "%3D",
        TOKEN + "&amp;x=1",
        quote(quote(f"{TOKEN}?a=b", safe=""), safe=""),
        TOKEN[:20] + "=\r\n" + TOKEN[20:],
        TOKEN[:20] + "=\n" + TOKEN[20:],
        TOKEN[:20] + "=0D=0A".replace("=0D=0A", "%0D%0A") + TOKEN[20:],
        TOKEN[:20] + "%20" + TOKEN[20:],
        "=3D" + TOKEN,
        "3D" * 0 + TOKEN + "=3D",
    ],
)
def test_an_identifier_survives_what_gateways_do(written: str) -> None:
    assert TOKEN in list(identifiers_in(written))


@given(
    st.sets(st.integers(0, len(TOKEN)), max_size=5),
    st.sampled_from(["=\r\n", "=\n", "%0A", "%3D%0D%0A", " ", "-", "=3D", "%253D"]),
)
def test_an_identifier_survives_what_is_put_into_it(positions: set[int], piece: str) -> None:
    written = "".join(
        (piece if position in positions else "") + TOKEN[position : position + 1] for position in range(len(TOKEN) + 1)
    )

    assert TOKEN in list(identifiers_in(written))


@given(st.text(max_size=200))
def test_any_path_has_at_most_two_candidates_of_the_right_letters(rest: str) -> None:
    found = list(identifiers_in(rest))

    assert len(found) <= 2
    assert all(set(one) <= set(ALNUM) and len(one) <= 49 for one in found)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/c/x", ("c", "x")),
        ("/C/X", ("c", "X")),
        ("//o//x/y", ("o", "x/y")),
        ("/c/", None),
        ("/campaign/x", None),
        ("/m/x", None),
        ("", None),
    ],
)
def test_it_tells_clicks_and_opens_from_everything_else(path: str, expected: tuple[str, str] | None) -> None:
    assert kind_and_rest(path) == expected


def test_quoted_printable_of_a_mail_leaves_an_identifier_readable() -> None:
    line = quopri.encodestring(
        f"https://mail.example.com/a/very/long/beginning/of/an/address/c/{TOKEN}".encode()
    ).decode()
    rest = line.rpartition("/c/")[2]

    assert TOKEN in list(identifiers_in(rest))
