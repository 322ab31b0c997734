"""Whether it was an archive that opened something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.archiving.recognise import recognise
from deliveries.models import Archive

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
