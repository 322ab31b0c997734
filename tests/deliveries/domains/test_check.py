"""``manage.py check_domain`` against a real DNS server on the loopback."""

import io
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from campaign.lib.command import WRONG_CALL
from deliveries.actions.dkim_key import make_key, retire_key
from deliveries.domains.records import dkim_record, strings
from deliveries.models import Algorithm, DkimKey
from tests.dns_server import DnsServer, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with running() as server:
        yield server


@pytest.fixture
def key() -> DkimKey:
    return make_key("example.com", selector="news")


@pytest.fixture
def zone(server: DnsServer, key: DkimKey) -> DnsServer:
    """Everything right for example.com."""
    server.add("example.com", "MX", "20 backup.example.com.", "10 mx.example.com.")
    server.add("mx.example.com", "A", "192.0.2.1")
    server.add("backup.example.com", "AAAA", "2001:db8::1")
    server.add("example.com", "TXT", '"verification=1"', '"v=spf1 mx include:relay.example.net " "-all"')
    server.add("relay.example.net", "TXT", '"v=spf1 ip4:192.0.2.0/24 ~all"')
    server.add(str(key), "TXT", strings(dkim_record(key)))
    server.add("_dmarc.example.com", "TXT", '"v=DMARC1; p=quarantine; rua=mailto:d@example.com"')
    return server


def checked(server: DnsServer, domain: str = "example.com", **options: object) -> tuple[str, bool]:
    """What the command prints, and whether it found everything right."""
    out = io.StringIO()
    try:
        call_command("check_domain", domain, dns_server=server.address, stdout=out, **options)
    except CommandError as error:
        return f"{out.getvalue()}{error}", False
    return out.getvalue(), True


def mend(text: str) -> list[str]:
    return [line.removeprefix("MEND   ") for line in text.splitlines() if line.startswith("MEND")]


def test_it_finds_everything_right(zone: DnsServer) -> None:
    text, right = checked(zone)

    assert right, text
    assert [line.split()[:2] for line in text.splitlines()[:4]] == [
        ["right", subject] for subject in ("MX", "SPF", "DKIM", "DMARC")
    ]
    assert "goes to mx.example.com, backup.example.com." in text
    assert "news._domainkey.example.com: the published key is ours." in text
    assert "“quarantine”" in text


def test_it_takes_the_server_from_the_settings(zone: DnsServer, settings) -> None:
    settings.DNS_SERVER = zone.address
    out = io.StringIO()

    call_command("check_domain", "example.com", stdout=out)

    assert "Everything is right" in out.getvalue()


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([], "There is no record"),
        (["v=spf1 -all", "v=spf1 mx -all"], "2 SPF records, so none counts"),
        (["v=spf1 +all"], "everybody may send"),
        (["v=spf1 all"], "everybody may send"),
        (["v=spf1 mx"], "says nothing about other senders"),
        (["v=spf1 ?all"], "says nothing about other senders"),
        (["v=spf1 ipv4:192.0.2.1 -all"], "“ipv4:192.0.2.1” in the SPF record of example.com means nothing"),
        (["v=spf1 include:nowhere.example.net -all"], "includes nowhere.example.net, which has no SPF record"),
        (["v=spf1 include:example.com -all"], "includes itself"),
        (["v=spf1 " + "a:x.example.com " * 11 + "-all"], "more than the 10 DNS lookups"),
        (["v=spf1 a mx a a a a a a a include:relay.example.net exists:x -all"], "more than the 10"),
    ],
)
def test_it_says_what_is_wrong_with_spf(zone: DnsServer, records: list[str], sentence: str) -> None:
    zone.remove("example.com", "TXT")
    zone.add("example.com", "TXT", *(f'"{record}"' for record in records))

    text, right = checked(zone)

    assert not right
    assert len(mend(text)) == 1
    assert sentence in mend(text)[0]


@pytest.mark.parametrize(
    "record", ["v=spf1 redirect=relay.example.net", "V=SPF1 ip4:192.0.2.1 ~all", "v=spf1 a/24 -all"]
)
def test_it_takes_every_valid_spf_record(zone: DnsServer, record: str) -> None:
    zone.remove("example.com", "TXT")
    zone.add("example.com", "TXT", f'"{record}"')

    assert checked(zone)[1]


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([], "nothing is published. Publish:"),
        (["v=DKIM1; k=rsa; p=AAAA"], "another one than ours"),
        (["v=DKIM1; k=rsa; p="], "revoked"),
        (["hello"], "no DKIM key"),
        (["{ours}; t=y:s"], "t=y"),
        (["{ours}; h=sha1"], "forbids"),
        (["{ours}; s=tlsrpt"], "forbids"),
        (["{ours}", "v=DKIM1; p=AAAA"], "2 TXT records"),
    ],
)
def test_it_says_what_is_wrong_with_dkim(zone: DnsServer, key: DkimKey, records: list[str], sentence: str) -> None:
    zone.remove(str(key), "TXT")
    zone.add(str(key), "TXT", *(strings(record.format(ours=dkim_record(key))) for record in records))

    text, right = checked(zone)

    assert not right
    assert len(mend(text)) == 1
    assert sentence in text


def test_it_looks_at_both_algorithms(zone: DnsServer) -> None:
    modern = make_key("example.com", algorithm=Algorithm.ED25519, selector="modern")

    assert mend(checked(zone)[0]) == ["DKIM   modern._domainkey.example.com: nothing is published. Publish:"]
    zone.add(str(modern), "TXT", strings(dkim_record(modern)))
    assert checked(zone)[1]


def test_it_looks_at_a_new_key_before_the_old_one_is_retired(zone: DnsServer) -> None:
    make_key("example.com", selector="next")

    assert checked(zone)[1]
    assert "next._domainkey.example.com: nothing is published" in checked(zone, selector="next")[0]
    with pytest.raises(CommandError, match="no key with selector “none”") as refused:
        call_command("check_domain", "example.com", dns_server=zone.address, selector="none")
    assert refused.value.returncode == WRONG_CALL


def test_it_says_when_there_is_no_key(zone: DnsServer, key: DkimKey) -> None:
    retire_key(key)

    assert mend(checked(zone)[0]) == ["DKIM   There is no active key. Make one: ./manage.py dkim_key example.com"]


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([], "large providers refuse bulk mail without one"),
        (["v=DMARC1; rua=mailto:d@example.com"], "no valid p="),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "2 records, so none counts"),
    ],
)
def test_it_says_what_is_wrong_with_dmarc(zone: DnsServer, records: list[str], sentence: str) -> None:
    zone.remove("_dmarc.example.com", "TXT")
    zone.add("_dmarc.example.com", "TXT", *(f'"{record}"' for record in records))

    text, _ = checked(zone)

    assert len(mend(text)) == 1
    assert sentence in mend(text)[0]


def test_it_takes_key_and_policy_of_the_domain_above(zone: DnsServer) -> None:
    zone.add("mail.example.com", "MX", "10 mx.example.com.")
    zone.add("mail.example.com", "TXT", '"v=spf1 mx -all"')
    zone.remove("_dmarc.example.com", "TXT")
    zone.add("_dmarc.example.com", "TXT", '"v=DMARC1; p=none; sp=reject"')

    text, right = checked(zone, "mail.example.com")

    assert right, text
    assert "“reject”" in text


def test_it_says_when_strict_alignment_needs_a_key_of_its_own(zone: DnsServer) -> None:
    zone.add("mail.example.com", "MX", "10 mx.example.com.")
    zone.add("mail.example.com", "TXT", '"v=spf1 mx -all"')
    zone.add("_dmarc.mail.example.com", "TXT", '"v=DMARC1; p=none; adkim=s"')

    text, _ = checked(zone, "mail.example.com")

    assert "adkim=s asks for a signature of mail.example.com itself, but example.com signs" in mend(text)[0]


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([], "There is no MX record"),
        (["0 ."], "null MX"),
        (["10 nowhere.example.com."], "nowhere.example.com has no address"),
    ],
)
def test_it_says_what_is_wrong_with_mx(zone: DnsServer, records: list[str], sentence: str) -> None:
    zone.remove("example.com", "MX")
    if records:
        zone.add("example.com", "MX", *records)

    text, _ = checked(zone)

    assert sentence in mend(text)[0]


def test_it_takes_the_domains_own_address_for_mail(zone: DnsServer) -> None:
    zone.remove("example.com", "MX")
    zone.add("example.com", "A", "192.0.2.1")

    assert checked(zone)[1]


def test_it_says_when_the_domain_does_not_exist(zone: DnsServer) -> None:
    text, right = checked(zone, "example.org")

    assert not right
    assert mend(text) == ["DNS    The domain example.org does not exist. Check its spelling, or register it."]


@pytest.mark.parametrize("broken", ["silent", "failing"])
def test_it_says_when_there_is_no_answer_and_goes_on(zone: DnsServer, broken: str) -> None:
    getattr(zone, broken).add("_dmarc.example.com")

    text, right = checked(zone, timeout=1.0)

    assert not right
    assert "The DNS gave no answer about _dmarc.example.com (TXT)." in mend(text)[0]
    assert text.count("right ") == 3


@pytest.mark.parametrize("address", ["dns.example.com", "127.0.0.1:port", "::1:x", "[127.0.0.1:53"])
def test_it_says_what_a_servers_address_looks_like(address: str) -> None:
    with pytest.raises(CommandError, match="is not the address of a DNS server"):
        call_command("check_domain", "example.com", dns_server=address)


@pytest.mark.parametrize("domain", ["", "example", "exa mple.com", "a" * 64 + ".com"])
def test_it_says_what_is_no_domain(domain: str) -> None:
    with pytest.raises(CommandError, match="“") as ended:
        call_command("check_domain", domain)

    assert ended.value.returncode == 2  # a watchman must not take it for something to be mended


def test_it_ends_with_code_1_when_something_is_to_be_mended(server: DnsServer) -> None:
    with pytest.raises(CommandError) as ended:
        call_command("check_domain", "example.com", dns_server=server.address, stdout=io.StringIO())

    assert ended.value.returncode == 1
