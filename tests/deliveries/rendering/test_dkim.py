"""Signatures are those of dkimpy, octet for octet; dkimpy is the judge also of whether they hold."""

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from unittest.mock import patch

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deliveries.rendering.dkim import Signer, is_tight, relaxed_body, signatures
from deliveries.rendering.merge import Renderer
from deliveries.rendering.return_path import ReturnPath
from deliveries.sending.smtp import commands
from tests.deliveries.rendering.contents import KEY, compiled, parsed, row
from tests.golden.contents import ROWS, content, row_of

RSA = generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BY_RSA = Signer(b"example.com", b"news", RSA)
BY_ED25519 = Signer(b"example.com", b"news-ed", ED25519)
SIGNERS = (BY_RSA, BY_ED25519)
TIMESTAMP = 1_780_219_800
FIELDS = [
    b"Date: Sun, 31 May 2026 09:30:00 +0000\r\n",
    b"From: Example Shop <news@example.com>\r\n",
    b"To: anna@example.org\r\n",
    b"Subject: News\r\n",
    b"List-Unsubscribe: <https://example.com/u/1>\r\n",
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    b"MIME-Version: 1.0\r\n",
    b"Content-Type: text/plain; charset=utf-8\r\n",
]
HEADER = (
    b"from : to : subject : date : mime-version : content-type : list-unsubscribe : list-unsubscribe-post"
    b" : from : list-unsubscribe : list-unsubscribe-post"
)


def by_dkimpy(signer: Signer, fields: Sequence[bytes], body: bytes, timestamp: int, header: bytes = HEADER) -> bytes:
    """What dkimpy signs, as shipped, at that second."""
    if isinstance(signer.key, RSAPrivateKey):
        key = signer.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    else:
        key = base64.b64encode(signer.key.private_bytes_raw())
    with patch("dkim.time.time", return_value=timestamp):
        signed: bytes = dkimpy.DKIM(b"".join(fields) + b"\r\n" + body).sign(
            signer.selector,
            signer.domain,
            key,
            signature_algorithm=signer.algorithm,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=header.split(b" : "),
        )
    return signed


def dns(*signers: Signer) -> Callable[..., bytes]:
    """The published keys, as dkimpy asks for them."""
    records = {}
    for signer in signers:
        public = signer.key.public_key()
        if isinstance(signer.key, RSAPrivateKey):
            kind, octets = b"rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, octets = b"ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        name = signer.selector + b"._domainkey." + signer.domain + b"."
        records[name] = b"v=DKIM1; k=" + kind + b"; p=" + base64.b64encode(octets)
    return lambda name, timeout=5: records[name]


def holds(mail: bytes, signer: Signer, index: int = 0) -> bool:
    return bool(dkimpy.DKIM(mail).verify(index, dnsfunc=dns(signer)))


labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=63)
domains = st.lists(labels, min_size=2, max_size=4).map(lambda parts: ".".join(parts)[-253:].strip(".").encode())
selectors = labels.map(str.encode)
timestamps = st.integers(min_value=0, max_value=4_000_000_000)
words = st.binary(max_size=40).map(lambda octets: octets.replace(b"\r", b"").replace(b"\n", b""))
lines = st.lists(words | st.sampled_from([b"", b" ", b"\t", b" a  b\t \t", b"=C3=BC ", b"\x0c"]), max_size=12)
bodies = st.tuples(lines, st.sampled_from([b"", b"\r\n", b"\r\n\r\n\r\n"])).map(lambda at: b"\r\n".join(at[0]) + at[1])
values = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=80).map(str.encode)


@settings(max_examples=200)
@given(domain=domains, selector=selectors, timestamp=timestamps, body=bodies, subject=values)
def test_it_signs_what_dkimpy_signs_with_ed25519(
    domain: bytes, selector: bytes, timestamp: int, body: bytes, subject: bytes
) -> None:
    signer = Signer(domain, selector, ED25519)
    fields = [b"sUbject: \t" + subject + b"  \r\n\t folded \r\n" if field[:1] == b"S" else field for field in FIELDS]

    assert signatures([signer], fields, [body], timestamp) == by_dkimpy(signer, fields, body, timestamp)


@settings(max_examples=25)
@given(domain=domains, selector=selectors, timestamp=timestamps, body=bodies)
def test_it_signs_what_dkimpy_signs_with_rsa(domain: bytes, selector: bytes, timestamp: int, body: bytes) -> None:
    signer = Signer(domain, selector, RSA)

    assert signatures([signer], FIELDS, [body], timestamp) == by_dkimpy(signer, FIELDS, body, timestamp)


@given(bodies, st.lists(st.integers(0, 400), max_size=3))
def test_it_signs_pieces_as_the_whole(body: bytes, cuts: list[int]) -> None:
    cuts = [cut + (body[cut - 1 : cut + 1] == b"\r\n") for cut in cuts]
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(places)]

    signed = signatures([BY_ED25519], FIELDS, pieces, TIMESTAMP, is_tight=is_tight(body))

    assert signed == by_dkimpy(BY_ED25519, FIELDS, body, TIMESTAMP)


@given(bodies)
def test_it_canonicalises_bodies_as_dkimpy_does(body: bytes) -> None:
    assert relaxed_body(body) == dkimpy.RelaxedCanonicalization.canonicalize_body(body)


def test_it_names_the_reply_address_only_where_there_is_one() -> None:
    fields = [*FIELDS, b"Reply-To: service@example.com\r\n"]
    header = HEADER.replace(b"content-type", b"content-type : reply-to")

    signed = signatures([BY_ED25519], fields, [b"Hello\r\n"], TIMESTAMP)

    assert signed == by_dkimpy(BY_ED25519, fields, b"Hello\r\n", TIMESTAMP, header)
    assert b"reply-to" not in signatures([BY_ED25519], FIELDS, [b"Hello\r\n"], TIMESTAMP)


def test_it_takes_repeated_fields_from_the_last_to_the_first() -> None:
    fields = [*FIELDS, b"To: bert@example.org\r\n"]

    signed = signatures([BY_ED25519], fields, [b""], TIMESTAMP)

    assert signed == by_dkimpy(BY_ED25519, fields, b"", TIMESTAMP, HEADER.replace(b": to :", b": to : to :"))


def test_it_signs_with_every_key() -> None:
    signed = signatures(SIGNERS, FIELDS, [b"Hello\r\n"], TIMESTAMP)

    mail = signed + b"".join(FIELDS) + b"\r\nHello\r\n"
    assert [holds(mail, signer, index) for index, signer in enumerate(SIGNERS)] == [True, True]


@pytest.mark.parametrize(
    "added", [b"From: x@example.net", b"List-Unsubscribe: <https://x>", b"list-unsubscribe-post: x"]
)
@pytest.mark.parametrize("signer", SIGNERS)
def test_it_breaks_when_somebody_adds_a_field_that_is_signed_once_more(signer: Signer, added: bytes) -> None:
    mail = signatures([signer], FIELDS, [b"Hello\r\n"], TIMESTAMP) + b"".join(FIELDS)

    assert holds(mail + b"X-Added: harmless\r\n\r\nHello\r\n", signer)
    assert not holds(mail + added + b"\r\n\r\nHello\r\n", signer)


@pytest.mark.parametrize("signer", SIGNERS)
@pytest.mark.parametrize("number", range(len(ROWS)))
def test_it_signs_whole_mails(number: int, signer: Signer) -> None:
    unsigned = Renderer(content(), 7, KEY).mail(row_of(ROWS[number])).data
    renderer = Renderer(content(), 7, KEY, signers=lambda: (signer,))

    data = renderer.mail(row_of(ROWS[number])).data

    assert data.endswith(unsigned)
    assert data.startswith(b"DKIM-Signature: v=1; a=" + signer.algorithm)
    assert holds(data, signer)
    assert max(map(len, data[: -len(unsigned)].split(b"\r\n"))) <= 72


def test_it_dates_the_signature_by_the_row() -> None:
    renderer = Renderer(compiled(), 7, KEY, signers=lambda: SIGNERS)
    of_row = replace(row(renderer), dated_at=datetime(2026, 5, 31, 9, 30, 0, 999_999, tzinfo=UTC))

    first, second = renderer.mail(of_row).data, renderer.mail(of_row).data

    assert first == second
    assert first.count(b"t=1780219800;") == 2


def test_it_asks_for_no_key_where_no_mail_is_made() -> None:
    def keys() -> Sequence[Signer]:
        raise AssertionError("A mirror page needs no key.")

    renderer = Renderer(compiled(), 7, KEY, signers=keys)

    assert renderer.html(row(renderer)) == Renderer(compiled(), 7, KEY).html(row(renderer))


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | st.text(" .\t\r\nF=From-äx", max_size=120)


@given(value=HOSTILE, around=st.sampled_from(["", " ", "\t", ".", "\n.", "  \n", "From ", "x" * 80]))
@example(value=".\r\n.\r\n", around="\n")
@example(value=" ", around=" ")
def test_a_mail_of_any_values_is_signed_travels_as_it_is_and_reads_as_its_mirror_page(value: str, around: str) -> None:
    html = f"<p>{around}{{{{ recipient.products }}}}{around}{{% if recipient.score %}}{around}{{% endif %}}</p>"
    text = f"{around}{{{{ recipient.products }}}}{around}\n"
    made = Renderer(compiled(html=html, text=text), 7, KEY, signers=lambda: (BY_ED25519,))
    of_row = row(made, products=value, score=1)

    mail = made.mail(of_row)

    assert holds(mail.data, BY_ED25519)
    assert commands.body(mail.data, is_transparent=mail.is_transparent) == commands.body(mail.data)
    part = parsed(mail.data).get_body(("html",))
    assert part is not None
    assert part.get_payload(decode=True) == made.html(of_row).replace("\n", "\r\n").encode()


@pytest.mark.parametrize("form", list(ReturnPath))
@pytest.mark.parametrize("number", range(len(SIGNERS)))
def test_it_signs_both_ways_out_and_nobody_can_add_another(form: ReturnPath, number: int) -> None:
    content = compiled(unsubscribe_by_mail=True, error_address="b@news.example.com", return_path=form)
    made = Renderer(content, 7, KEY, signers=lambda: SIGNERS)

    data = made.mail(row(made)).data

    assert holds(data, SIGNERS[number], number)
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post"):
        assert not holds(data.replace(f"\r\n{name}:".encode(), f"\r\nX-{name}:".encode()), SIGNERS[number], number)
    signed = (
        str((parsed(data).get_all("DKIM-Signature") or [])[number])
        .replace(" ", "")
        .partition(";h=")[2]
        .partition(";")[0]
    )
    names = signed.split(":")
    assert names.count("list-unsubscribe") == names.count("list-unsubscribe-post") == 2  # once more than there are
    offered = str(parsed(data)["List-Unsubscribe"])
    assert re.fullmatch(r"<https://[^>]+>, <mailto:[a-z0-9+]+@news\.example\.com\?subject=unsubscribe[^>]*>", offered)
