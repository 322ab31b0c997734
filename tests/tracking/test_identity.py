from hypothesis import given
from hypothesis import strategies as st

from tracking.identity import RANDOM_BITS, event_id, new_event_id

MS_OF_2026 = 1_767_225_600_000
MS = st.integers(MS_OF_2026, MS_OF_2026 + (1 << 42) - 1)
BITS = st.integers(0, (1 << RANDOM_BITS) - 1)


@given(MS, BITS, MS, BITS)
def test_keys_are_in_the_order_of_time_and_fit_into_a_bigint(ms, bits, other_ms, other_bits):
    one, other = event_id(ms, bits), event_id(other_ms, other_bits)

    assert 0 <= one < 1 << 63
    assert (one < other) == ((ms, bits) < (other_ms, other_bits))


def test_a_clock_before_the_epoch_gives_keys_all_the_same():
    assert event_id(0, 5) == 5


def test_no_two_events_share_a_key():
    keys = {new_event_id() for _ in range(100)}

    assert len(keys) >= 99  # two of a millisecond may meet, once in two million times
