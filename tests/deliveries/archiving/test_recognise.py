"""Whether it was an archive that opened something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.clock import now
from deliveries.archiving.recognise import opened_by_archive, recognise
from deliveries.models import Archive, ArchiveCopy

VAULT = Archive(name="Vault", networks="192.0.2.0/24\n2001:db8::/32", user_agents="VaultBot\n\nIndexer/2")


@pytest.mark.parametrize(
    ("ip", "agent", "is_archive"),
    [
        ("192.0.2.7", "", True),
        ("::ffff:192.0.2.7", "", True),
        (" 192.0.2.7 ", "", True),
        ("2001:db8::1", "", True),
        ("198.51.100.1", "Mozilla/5.0 (vaultbot 3)", True),
        ("198.51.100.1", "Indexer/2.1", True),
        ("198.51.100.1", "Mozilla/5.0", False),
        ("", "", False),
        ("nonsense", "x", False),
    ],
)
def test_it_knows_an_archive_by_network_and_user_agent(ip: str, agent: str, is_archive: bool) -> None:
    assert (recognise([VAULT], ip, agent) is VAULT) == is_archive


@given(st.text(), st.text())
def test_it_takes_whatever_strangers_send(ip: str, agent: str) -> None:
    assert recognise([VAULT], ip, agent) in (None, VAULT)


@pytest.mark.django_db
def test_it_takes_for_the_archive_only_who_has_a_copy_of_the_message(django_assert_num_queries) -> None:
    vault = Archive.objects.create(name="Vault", stores_files=True, networks="192.0.2.0/24")
    Archive.objects.create(name="Other", stores_files=True, networks="198.51.100.0/24")
    ArchiveCopy.objects.create(message_id=7, archive=vault, noted_at=now(), next_attempt_at=now())

    with django_assert_num_queries(1):
        assert opened_by_archive(7, "192.0.2.1", "Mozilla/5.0")
    assert not opened_by_archive(7, "198.51.100.1", "Mozilla/5.0")
    assert not opened_by_archive(8, "192.0.2.1", "Mozilla/5.0")
