"""What the engine's figures are compared with, measured on the same machine in the same run."""

import multiprocessing
import os
import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from urllib.parse import quote

import dkim
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings
from django.db import connection
from jinja2.sandbox import ImmutableSandboxedEnvironment

from benchmarks import letter, listmonk
from benchmarks.lab import BenchmarkProblem
from benchmarks.servers import postfix_program

SECONDS = 2.0
KEY_BITS = 2048
POST_OFFICE_DATABASE = "post_office"


def new_key() -> bytes:
    """An RSA-2048 private key as PEM."""
    return rsa.generate_private_key(65537, KEY_BITS).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def rsa_signatures(processes: int) -> float:
    """OpenSSL's RSA-2048 signatures per second, all of ``processes`` processes together."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return round(sum(pool.map(_sign_on_one_core, [new_key()] * processes, chunksize=1)), 1)


def _sign_on_one_core(pem: bytes) -> float:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        for _ in range(100):
            key.sign(b"a header", padding.PKCS1v15(), hashes.SHA256())
        count += 100
    return count / (time.perf_counter() - began)


def smtp_source(port: int, messages: int) -> float | None:
    """Messages of 30 KB per second from Postfix's client over two kept connections; None where it is missing."""
    program = postfix_program("smtp-source")
    if program is None:
        return None
    began = time.perf_counter()
    addresses = ("-f", "news@sender.example", "-t", letter.address(1))
    subprocess.run(
        [program, "-d", "-s", "2", "-l", "30000", "-m", str(messages), *addresses, f"127.0.0.1:{port}"], check=True
    )
    return round(messages / (time.perf_counter() - began), 1)


def naive(port: int, messages: int, processes: int, *, signed: bool) -> float:
    """Messages per second of the loop that everybody writes first: Jinja2, EmailMessage, dkimpy, smtplib."""
    key = new_key() if signed else b""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        rates = pool.starmap(
            _send_naively, zip(repeat(port, processes), repeat(messages), repeat(key), strict=False), chunksize=1
        )
    return round(sum(rates), 1)


def _send_naively(port: int, messages: int, key: bytes) -> float:
    environment = ImmutableSandboxedEnvironment(autoescape=True)
    html = environment.from_string(letter.html())
    subject, text = (ImmutableSandboxedEnvironment().from_string(source) for source in (letter.SUBJECT, letter.text()))
    with smtplib.SMTP("127.0.0.1", port, "naive.example") as client:
        began = time.perf_counter()
        for number in range(1, messages + 1):
            values = {"recipient": letter.person(number)}
            message = EmailMessage()
            message["From"] = f"{letter.SENDER_NAME} <news@sender.example>"
            message["To"] = letter.address(number)
            message["Subject"] = subject.render(values)
            message["Date"] = formatdate()
            message["Message-ID"] = make_msgid(domain="sender.example")
            message.set_content(text.render(values))
            message.add_alternative(html.render(values), subtype="html")
            octets = message.as_bytes().replace(b"\n", b"\r\n")
            if key:
                octets = dkim.sign(octets, b"bench", b"sender.example", key) + octets
            client.sendmail("news@sender.example", [letter.address(number)], octets)
        return messages / (time.perf_counter() - began)


def post_office(port: int, messages: int) -> float | None:
    """Messages per second of django-post_office with two processes, unsigned; None where it is not installed."""
    if find_spec("post_office") is None:
        return None
    server = connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {POST_OFFICE_DATABASE}")
    url = f"postgresql://{server['USER']}@/{POST_OFFICE_DATABASE}?host={quote(server['HOST'])}"
    command = [sys.executable, "-m", "benchmarks.post_office", url, str(port), str(messages)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def listmonk_campaign(port: int, messages: int) -> float | None:
    """Messages per second of listmonk, unsigned, on all cores; None where LISTMONK names no binary."""
    program = listmonk_program()
    if program is None:
        return None
    return listmonk.rate(program, port, messages, connection.settings_dict, Path(settings.VAR_DIR))


def listmonk_program() -> Path | None:
    """The binary that LISTMONK names. Raises :class:`BenchmarkProblem` when there is none at that place."""
    named = os.environ.get("LISTMONK")
    if not named:
        return None
    program = Path(named).resolve()
    if not os.access(program, os.X_OK) or not program.is_file():
        raise BenchmarkProblem(f"LISTMONK names {named}, where no program is. Name the binary itself.")
    return program
