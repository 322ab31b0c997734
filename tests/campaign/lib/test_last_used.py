"""What is kept of what a function gave: by number and by octets."""

from campaign.lib.last_used import LastUsed


def kept(most: int, most_octets: int) -> tuple[LastUsed[str], list[int]]:
    """A function that gives so many letters, and the calls that reached it."""
    calls: list[int] = []

    def letters(number: int) -> str:
        calls.append(number)
        return "x" * number

    return LastUsed(letters, most, most_octets, len), calls


def test_it_makes_each_once():
    letters, calls = kept(most=2, most_octets=100)

    assert [letters(3), letters(4), letters(3)] == ["xxx", "xxxx", "xxx"]
    assert calls == [3, 4]


def test_it_forgets_what_was_not_used_for_longest():
    letters, calls = kept(most=2, most_octets=100)
    for number in (1, 2, 1, 3, 1, 2):
        letters(number)

    assert calls == [1, 2, 3, 2]


def test_it_keeps_no_more_octets_than_it_may():
    letters, calls = kept(most=64, most_octets=10)
    for number in (2, 3, 4, 5, 4, 5, 3):
        letters(number)

    assert calls == [2, 3, 4, 5, 3]


def test_it_keeps_what_is_larger_than_all_of_that_while_nothing_else_is_asked_for():
    letters, calls = kept(most=64, most_octets=10)
    for number in (30, 30, 1, 30):
        letters(number)

    assert calls == [30, 1, 30]


def test_it_forgets_everything():
    letters, calls = kept(most=2, most_octets=100)
    letters(1)
    letters.cache_clear()
    letters(1)

    assert calls == [1, 1]
