"""``manage.py dkim_key``."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from campaign.lib import clock
from campaign.lib.command import WRONG_CALL
from deliveries.actions.base import ActionRefused
from deliveries.actions.dkim_key import make_key
from deliveries.domains.records import dkim_record, strings
from deliveries.models import Algorithm, DkimKey

pytestmark = pytest.mark.django_db


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("dkim_key", *arguments, stdout=out)
    return out.getvalue()


def test_it_makes_a_key_and_prints_the_record_in_strings_of_255_octets() -> None:
    text = told("example.com", "--selector", "news")

    key = DkimKey.objects.get()
    assert (str(key), key.algorithm, key.active) == ("news._domainkey.example.com", "rsa", True)
    line = next(line.strip() for line in text.splitlines() if "IN TXT" in line)
    pieces = re.findall(r'"([^"]*)"', line)
    assert line.startswith("news._domainkey.example.com. IN TXT ")
    assert "".join(pieces) == dkim_record(key)
    assert [len(piece) for piece in pieces] == [255, len(dkim_record(key)) - 255]
    assert "./manage.py check_domain example.com --selector news" in text
    assert "PRIVATE" not in text


def test_it_makes_an_ed25519_key() -> None:
    text = told("example.com", "--algorithm", "ed25519")

    key = DkimKey.objects.get()
    assert key.selector == f"ed25519-{clock.now():%Y%m}"
    assert f'"v=DKIM1; k=ed25519; p={key.public_key}"' in text


def test_it_finds_a_free_selector() -> None:
    selectors = [make_key("example.com").selector for _ in range(3)]

    assert selectors[1:] == [f"{selectors[0]}-2", f"{selectors[0]}-3"]


def test_it_says_how_to_change_over_to_a_new_key() -> None:
    told("example.com", "--selector", "old")

    text = told("example.com", "--selector", "new")

    assert "old._domainkey.example.com goes on signing." in text
    assert "./manage.py dkim_key example.com --selector old --retire" in text


def test_it_never_replaces_a_key() -> None:
    told("example.com", "--selector", "news")
    before = DkimKey.objects.get().public_key

    with pytest.raises(CommandError, match=r"There already is a key with selector “news” for example\.com"):
        told("Example.COM.", "--selector", "NEWS")

    assert DkimKey.objects.get().public_key == before


@pytest.mark.parametrize("selector", ["a b", "-a", "a..b", "ü", "a" * 64, "_domainkey"])
def test_it_says_what_is_no_selector(selector: str) -> None:
    with pytest.raises(ActionRefused, match="is not a selector"):
        make_key("example.com", selector=selector)


@pytest.mark.parametrize("domain", ["", "example", "a@example.com", "exa mple.com"])
def test_it_says_what_is_no_domain(domain: str) -> None:
    with pytest.raises(ActionRefused, match=r"It looks like example\.com|Check its spelling"):
        make_key(domain)


def test_it_says_when_the_name_gets_too_long() -> None:
    with pytest.raises(ActionRefused, match="too long"):
        make_key(".".join(["a" * 60] * 4), selector="s" * 40)


def test_it_asks_for_a_domain() -> None:
    with pytest.raises(CommandError, match="Name the domain"):
        told()


def test_it_lists_keys_with_their_state() -> None:
    make_key("example.com", selector="old")
    make_key("example.com", algorithm=Algorithm.ED25519, selector="new")
    make_key("example.org", selector="other")
    told("example.com", "--selector", "old", "--retire")

    lines = told("example.com", "--list").splitlines()

    assert [line.split()[:3] for line in lines] == [
        ["old._domainkey.example.com", "rsa", "retired"],
        ["new._domainkey.example.com", "ed25519", "active"],
    ]
    assert len(told("--list").splitlines()) == 3
    assert told("example.net", "--list") == "There is no key for example.net.\n"


def test_it_shows_a_record_again() -> None:
    key = make_key("example.com", selector="news")

    assert strings(dkim_record(key)) in told("example.com", "--show", "--selector", "news")


def test_it_retires_a_key_and_says_what_stays() -> None:
    make_key("example.com", selector="news")

    text = told("example.com", "--retire", "--selector", "news")

    assert not DkimKey.objects.get().active
    assert "leave its DNS record in place" in text


@pytest.mark.parametrize("act", ["--retire", "--show"])
def test_it_says_which_selectors_there_are(act: str) -> None:
    make_key("example.com", selector="news")

    with pytest.raises(CommandError, match=r"Its selectors are: news\."):
        told("example.com", act)
    with pytest.raises(CommandError, match=r"no key with selector “other”\. Its selectors are: news\.") as refused:
        told("example.com", act, "--selector", "other")
    assert refused.value.returncode == WRONG_CALL
    with pytest.raises(CommandError, match=r"It has no key\."):
        told("example.org", act, "--selector", "news")
