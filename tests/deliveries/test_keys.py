"""Which keys sign a content, that they stay, and that what a worker sends holds."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import dkim as dkimpy
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from campaign.demo.sink import EXTENSIONS
from campaign.lib.sealing import SealBroken
from deliveries.actions.dkim_key import make_key, retire_key
from deliveries.domains.records import dkim_record
from deliveries.keys import signer, signing_keys
from deliveries.mail import Mail
from deliveries.models import Algorithm, Attachment, Content, Delivery, DkimKey, Level, Message
from deliveries.rows import message_row, renderer
from deliveries.sending.worker import Worker
from deliveries.states import DeliveryState, MessageState
from tests.deliveries import factories
from tests.smtp_sink import WITHOUT_CHUNKING, SinkThread

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_signers() -> Iterator[None]:
    """What a process keeps must not outlive a test's rolled-back rows."""
    signer.cache_clear()
    yield
    signer.cache_clear()


@pytest.fixture
def key() -> DkimKey:
    return make_key("example.com", selector="news")


@pytest.fixture
def modern() -> DkimKey:
    return make_key("example.com", algorithm=Algorithm.ED25519, selector="modern")


def mail_of(delivery: Delivery) -> Mail:
    message = Message.objects.select_related("content").of_delivery(delivery.pk).order_by("pk")[0]
    return renderer(message.content_id).mail(message_row(message))


def published(name: bytes, timeout: int = 5) -> bytes:
    """The records of all keys, as dkimpy asks for them."""
    return {f"{key}.".encode(): dkim_record(key).encode() for key in DkimKey.objects.all()}[name]


def warnings(delivery: Delivery) -> list[str]:
    return list(delivery.journal.filter(level=Level.WARNING).values_list("sentence", flat=True))


def test_it_signs_with_the_domains_own_keys_or_those_of_the_nearest_domain_above(key: DkimKey) -> None:
    deeper = make_key("mail.example.com")

    assert signing_keys("a@example.com") == [key]
    assert signing_keys(" A@Example.COM ") == [key]
    assert signing_keys("a@mail.example.com") == [deeper]
    assert signing_keys("a@x.mail.example.com") == [deeper]
    assert signing_keys("{{ recipient.last_name }}@news.example.com") == [key]
    assert signing_keys("a@notexample.com") == []
    assert signing_keys("a@{{ recipient.last_name }}.example.com") == []
    assert signing_keys("") == []


def test_it_signs_for_international_domains() -> None:
    key = make_key("Bücher.example")

    assert key.domain == "xn--bcher-kva.example"
    assert signing_keys("news@bücher.example") == [key]


def test_it_takes_the_oldest_active_key_of_each_algorithm(key: DkimKey, modern: DkimKey) -> None:
    newer = make_key("example.com", selector="newer")

    assert signing_keys("a@example.com") == [key, modern]

    retire_key(key)
    assert signing_keys("a@example.com") == [newer, modern]


def test_it_freezes_the_keys_with_the_content(key: DkimKey, modern: DkimKey) -> None:
    delivery = factories.analysed(factories.delivery(factories.people(1)))
    before = mail_of(delivery).data

    retire_key(key)
    make_key("example.com", selector="newer")
    renderer.cache_clear()
    signer.cache_clear()

    assert delivery.content is not None
    assert delivery.content.dkim_keys == [key.pk, modern.pk]
    assert mail_of(delivery).data == before
    assert [dkimpy.DKIM(before).verify(index, dnsfunc=published) for index in (0, 1)] == [True, True]


def test_it_serves_the_mirror_page_without_any_key(key: DkimKey) -> None:
    delivery = factories.analysed(factories.delivery(factories.people(1)))
    message = Message.objects.select_related("content").of_delivery(delivery.pk).get()
    DkimKey.objects.update(sealed_private_key="broken")
    signer.cache_clear()

    made = renderer(message.content_id)

    assert "name1" in made.html(message_row(message)).lower()
    with pytest.raises(SealBroken, match=r"news\._domainkey\.example\.com cannot be read"):
        made.mail(message_row(message))


def test_it_sends_what_it_signed(key: DkimKey, worker: Worker, smtp_sink: SinkThread) -> None:
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(3)))

    factories.send(worker, delivery)

    assert factories.states(delivery) == [MessageState.SENT] * 3
    assert [bool(dkimpy.DKIM(got.data).verify(dnsfunc=published)) for got in smtp_sink.messages] == [True] * 3


def test_it_asks_the_database_once_for_all_mails_of_a_content(key: DkimKey, modern: DkimKey) -> None:
    delivery = factories.analysed(factories.delivery(factories.people(3)))
    rows = [message_row(message) for message in Message.objects.of_delivery(delivery.pk)]
    assert delivery.content_id is not None
    made = renderer(delivery.content_id)
    signer.cache_clear()

    with CaptureQueriesContext(connection) as captured:
        for row in rows:
            made.mail(row)

    assert len(captured) == 2  # one a key


def test_it_lets_the_part_rest_when_a_key_cannot_be_read(key: DkimKey, worker: Worker, smtp_sink: SinkThread) -> None:
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(1)))
    DkimKey.objects.update(sealed_private_key="broken")
    signer.cache_clear()

    factories.send(worker, delivery)

    assert factories.states(delivery) == [MessageState.PENDING]
    assert "SECRET_KEY has changed" in delivery.state_note
    assert smtp_sink.messages == []


def test_it_warns_of_a_domain_without_a_key() -> None:
    delivery = factories.analysed(factories.delivery(factories.people(1)))

    (warning,) = warnings(delivery)
    assert warning.startswith("The messages will not be signed: there is no active DKIM key for example.com. Make one")


def test_it_warns_of_a_personalized_domain(key: DkimKey) -> None:
    sender = "news@{{ recipient.last_name|default('example.com') }}"
    delivery = factories.analysed(factories.delivery(factories.people(1), sender_address=sender))

    assert any("the domain of the sender address is personalized" in warning for warning in warnings(delivery))


def test_it_warns_of_nothing_where_there_is_a_key(key: DkimKey) -> None:
    delivery = factories.analysed(factories.delivery(factories.people(1)))

    assert warnings(delivery) == []


def test_it_refuses_to_analyse_with_a_key_that_cannot_be_read(key: DkimKey) -> None:
    DkimKey.objects.update(sealed_private_key="broken")

    delivery = factories.analysed(factories.delivery(factories.people(1)))

    assert delivery.current_state is DeliveryState.ANALYSIS_FAILED
    assert "news._domainkey.example.com cannot be read" in delivery.state_note


def test_it_keeps_a_key_that_signs_a_content(key: DkimKey) -> None:
    factories.analysed(factories.delivery(factories.people(1)))

    with pytest.raises(IntegrityError, match="retire it"), transaction.atomic():
        DkimKey.objects.filter(pk=key.pk).delete()


def test_it_lets_go_of_a_key_that_signs_nothing(key: DkimKey) -> None:
    key.delete()

    assert not DkimKey.objects.exists()


def test_it_takes_no_key_that_does_not_exist() -> None:
    with pytest.raises(IntegrityError, match="does not exist"), transaction.atomic():
        Content.objects.create(delivery=factories.delivery(), compiled={}, dkim_keys=[1])


@pytest.mark.parametrize("change", [{"domain": "example.org"}, {"selector": "x"}, {"public_key": "AAAA"}])
def test_it_never_becomes_another_key(key: DkimKey, change: dict[str, str]) -> None:
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        DkimKey.objects.filter(pk=key.pk).update(**change)


def test_it_keeps_the_private_key_sealed(key: DkimKey) -> None:
    assert "PRIVATE KEY" in key.private_key
    assert "PRIVATE KEY" not in key.sealed_private_key


def judged_by_opendkim(data: bytes, folder: Path) -> str:
    """What OpenDKIM, which is written in C and knows our keys from a file, says of a message."""
    if shutil.which("opendkim") is None:
        pytest.skip("No opendkim: install Debian's package of that name.")
    keys, configuration, message = folder / "keys", folder / "opendkim.conf", folder / "message.eml"
    keys.write_text("".join(f"{key} {dkim_record(key)}\n" for key in DkimKey.objects.all()))
    configuration.write_text(f"Mode v\nTestPublicKeys {keys}\nSyslog no\n")
    message.write_bytes(data)
    command = ["opendkim", "-x", str(configuration), "-t", str(message), "-vv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return re.sub(r"\s+", " ", done.stdout + done.stderr)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_opendkim_finds_the_signature_good(algorithm: Algorithm, tmp_path: Path) -> None:
    make_key("example.com", algorithm=algorithm, selector="news")
    data = mail_of(factories.analysed(factories.delivery(factories.people(1)))).data

    assert "dkim=pass" in judged_by_opendkim(data, tmp_path)
    assert "dkim=pass" not in judged_by_opendkim(data.replace(b"Subject: News", b"Subject: Olds"), tmp_path)
    assert "dkim=pass" not in judged_by_opendkim(data.replace(b"Hello", b"Hallo"), tmp_path)


def test_opendkim_finds_both_signatures_good(key: DkimKey, modern: DkimKey, tmp_path: Path) -> None:
    data = mail_of(factories.analysed(factories.delivery(factories.people(1)))).data

    verdict = judged_by_opendkim(data, tmp_path)

    assert verdict.count("dkim=pass") == 2, verdict


@pytest.mark.parametrize("extensions", [EXTENSIONS, WITHOUT_CHUNKING], ids=["chunks", "data"])
def test_opendkim_finds_the_signature_of_mails_that_share_a_file_good_as_they_arrived(
    extensions: Sequence[str], key: DkimKey, worker: Worker, smtp_sink: SinkThread, tmp_path: Path
) -> None:
    file = Attachment.objects.create(name="a.bin", content_type="image/png", data=bytes(range(256)) * 900, size=230_400)
    smtp_sink.sink.script.extensions = extensions
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(2), html="<p>Hello {{ recipient.first_name }}\n.\n</p>")
    made.attachments.add(file)

    factories.send(worker, factories.confirmed(factories.unchecked(made)))

    arrived = [message.data for message in smtp_sink.messages]
    assert [len(data) > file.size for data in arrived] == [True, True]
    for data in arrived:
        assert "dkim=pass" in judged_by_opendkim(data, tmp_path)
    assert "dkim=pass" not in judged_by_opendkim(arrived[0].replace(b"AAECAwQF", b"AAECAwQG", 1), tmp_path)
