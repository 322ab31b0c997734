"""Secrets at rest."""

import pytest

from campaign.lib.sealing import SealBroken, seal, unseal


def test_it_gives_back_what_it_sealed_and_shows_nothing_of_it():
    sealed = seal("p4ssword")

    assert "p4ssword" not in sealed
    assert unseal(sealed) == "p4ssword"
    assert seal("p4ssword") != sealed


def test_it_leaves_the_empty_secret_empty():
    assert seal("") == unseal("") == ""


def test_it_still_reads_with_a_former_key(settings):
    sealed = seal("p4ssword")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert unseal(sealed) == "p4ssword"


def test_it_says_what_to_do_when_the_key_is_lost(settings):
    sealed = seal("p4ssword")
    settings.SECRET_KEY = "another"

    with pytest.raises(SealBroken, match="SECRET_KEY_FALLBACKS"):
        unseal(sealed)
