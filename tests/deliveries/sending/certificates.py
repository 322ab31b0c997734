"""A private certificate authority and what it signed. Import the fixture `authority` where it is used."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """A certificate authority and server contexts: for 127.0.0.1, for another host, and one whose time is over."""

    file: Path
    right_pem: Path
    right: ssl.SSLContext
    wrong_host: ssl.SSLContext
    expired: ssl.SSLContext


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    root = builder(name, name, key).add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    file = folder / "authority.pem"
    file.write_bytes(root.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def context(label: str, alternative: x509.GeneralName, *, days_ago: int = 0) -> ssl.SSLContext:
        own = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
        certificate = (
            builder(subject, name, own, days_ago)
            .add_extension(x509.SubjectAlternativeName([alternative]), False)
            .sign(key, hashes.SHA256())
        )
        pem = folder / f"{label}.pem"
        pem.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(pem)
        return made

    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return Authority(
        file,
        folder / "right.pem",
        context("right", here),
        context("wrong", x509.DNSName("other.example")),
        context("expired", here, days_ago=2),
    )


def builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days_ago: int = 0
) -> x509.CertificateBuilder:
    """A certificate for the two days around now, or around so many days ago."""
    now = dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )
