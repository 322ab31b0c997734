"""What a DKIM signature costs: ``python -m benchmarks.signing`` prints it for a 27 KB newsletter.

Beside it stand the floor (OpenSSL's bare RSA-2048 signature) and dkimpy as shipped (RSA in Python). The best of several
rounds counts: two cores are shared by everything that runs beside.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import dkim as dkimpy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.render import VALUES, source
from deliveries.personalization.fields import catalogue
from deliveries.rendering.compile import compile_content
from deliveries.rendering.dkim import Signer, signatures
from deliveries.rendering.merge import MessageRow, Renderer
from deliveries.rendering.tracking import Tracking

ROUNDS = 7
TIMESTAMP = 1_767_225_600


def milliseconds(step: Callable[[], object], times: int) -> float:
    """Mean time of one call in the best of :data:`ROUNDS` rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(times):
            step()
        best = min(best, time.perf_counter() - started)
    return best / times * 1000


def main() -> None:
    """Print a table."""
    compiled = compile_content(source(Tracking()), catalogue(f"value_{number}" for number in range(VALUES)), {})
    row = MessageRow(1, "anna@example.com", ["Wert"] * len(compiled.fields), datetime(2026, 1, 1, tzinfo=UTC))
    mail = Renderer(compiled, 1, bytes(32)).mail(row).data
    head, _, body = mail.partition(b"\r\n\r\n")
    fields = [line + b"\r\n" for line in head.replace(b"\r\n ", b" ").split(b"\r\n")]
    rsa = generate_private_key(65537, 2048)
    pem = rsa.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    by_rsa = Signer(b"example.com", b"news", rsa)
    by_ed25519 = Signer(b"example.com", b"news-ed", Ed25519PrivateKey.generate())
    floor = milliseconds(lambda: rsa.sign(b"data", PKCS1v15(), SHA256()), 400)
    ours = milliseconds(lambda: signatures([by_rsa], fields, [body], TIMESTAMP), 400)
    modern = milliseconds(lambda: signatures([by_ed25519], fields, [body], TIMESTAMP), 400)
    both = milliseconds(lambda: signatures([by_rsa, by_ed25519], fields, [body], TIMESTAMP), 400)
    shipped = milliseconds(
        lambda: dkimpy.sign(mail, b"news", b"example.com", pem, canonicalize=(b"relaxed", b"relaxed")), 5
    )
    print(f"a mail of {len(mail) / 1024:.0f} KB              ms   against bare RSA")
    for name, cost in (
        ("OpenSSL RSA-2048, bare", floor),
        ("rsa-sha256", ours),
        ("ed25519-sha256", modern),
        ("both", both),
        ("dkimpy as shipped, RSA", shipped),
    ):
        print(f"{name:<26}{cost:8.3f}   {cost / floor:8.2f}")


if __name__ == "__main__":
    main()
