import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.primary_keys import primary_key, primary_keys

BIGGEST = 2**63 - 1


@given(st.integers(0, 10**18 - 1))
def test_it_reads_every_key_as_it_is_written(key: int) -> None:
    assert primary_key(str(key)) == key


@given(st.one_of(st.text(), st.text("0123456789²٣", min_size=17, max_size=40), st.just("9" * 5_000)))
def test_any_text_gives_a_key_that_the_database_can_hold_or_none(text: str) -> None:
    key = primary_key(text)

    assert key is None or (0 <= key <= BIGGEST and text.isascii())


@pytest.mark.parametrize("text", ["", " 1", "-1", "+1", "1_0", "1.0", "²", "٣", "1" * 19])
def test_what_is_written_otherwise_is_none(text: str) -> None:
    assert primary_key(text) is None


def test_it_leaves_out_what_is_none() -> None:
    assert primary_keys(["3", "x", "", "1"]) == [3, 1]
