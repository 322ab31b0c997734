import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.oauth.sasl import Bearer

users = st.text(st.characters(exclude_characters="\x00\x01", exclude_categories=["Cs"]))


def test_xoauth2_is_as_google_and_microsoft_write_it() -> None:
    said = Bearer.XOAUTH2.first_words("ada@example.com", "ya29.x", "smtp.example.com", 587)

    assert said == "user=ada@example.com\x01auth=Bearer ya29.x\x01\x01"


def test_oauthbearer_is_the_example_of_rfc_7628() -> None:
    said = Bearer.OAUTHBEARER.first_words("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", "server.example.com", 143)  # fmt: skip  # noqa: E501

    assert said == (
        "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
        "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
    )


@given(users)
def test_no_user_name_says_anything_but_a_user_name(user: str) -> None:
    header, *rest = Bearer.OAUTHBEARER.first_words(user, "token", "host", 1).split("\x01")

    found = re.fullmatch(r"n,a=([^,]*),", header, re.DOTALL)
    assert found is not None
    assert found[1].replace("=2C", ",").replace("=3D", "=") == user
    assert rest == ["host=host", "port=1", "auth=Bearer token", "", ""]


@pytest.mark.parametrize(("bearer", "words"), [(Bearer.XOAUTH2, ""), (Bearer.OAUTHBEARER, "\x01")])
def test_it_brings_a_refusal_to_its_end(bearer: Bearer, words: str) -> None:
    assert bearer.last_words == words
