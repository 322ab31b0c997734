"""``manage.py receive_bounces``: take bounces as they come, by SMTP or LMTP and from mailboxes, until told to end."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections

from bounces.models import BounceMailbox
from bounces.sources.collect import watch
from bounces.sources.listener import Listener
from campaign.lib import command
from deliveries.rendering.return_path import ReturnPath
from deliveries.sending import shutdown

logger = logging.getLogger(__name__)


class Command(command.Command):
    """One process for everything that waits: ports, and mailboxes with IDLE."""

    help = (
        "Take bounces until SIGTERM: as an SMTP or LMTP server for the return path's domain, and from mailboxes "
        "at the moment a mail arrives. What is taken is committed before it is acknowledged."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, which mailboxes to watch, what to accept."""
        parser.add_argument("--smtp", action="append", default=[], metavar="HOST:PORT", help="speak SMTP there")
        parser.add_argument("--lmtp", action="append", default=[], metavar="HOST:PORT", help="speak LMTP there")
        parser.add_argument(
            "--mailbox", action="append", default=[], metavar="NAME",
            help="watch this mailbox of the administration (IMAP: by IDLE); “all” for every active one",
        )  # fmt: skip
        parser.add_argument(
            "--accept", action="append", default=[], metavar="ADDRESS",
            help="take mail to this address as well, which no message signed: for feedback reports, for example",
        )  # fmt: skip
        parser.add_argument("--certificate", type=Path, metavar="FILE", help="PEM file: offer STARTTLS with it")
        parser.add_argument("--key", type=Path, metavar="FILE", help="PEM file of its key, where that is another one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take bounces until somebody says end."""
        mailboxes = _mailboxes(options["mailbox"])
        ports = [(*_place(each), False) for each in options["smtp"]] + [
            (*_place(each), True) for each in options["lmtp"]
        ]
        if not ports and not mailboxes:
            raise CommandError("Say where bounces come from: --smtp HOST:PORT, --lmtp HOST:PORT or --mailbox NAME.")
        accepted = list(options["accept"])
        if settings.RETURN_PATH == ReturnPath.PLAIN:
            accepted.append(settings.ERROR_ADDRESS)
        try:
            listener = Listener(
                settings.ERROR_ADDRESS.rpartition("@")[2],
                accepted,
                certificate=options["certificate"],
                key=options["key"],
            )
        except OSError as error:
            raise CommandError(f"The certificate cannot be used: {_unusable(error)}.") from error
        asyncio.run(self._run(listener, ports, mailboxes))

    async def _run(
        self, listener: Listener, ports: list[tuple[str, int, bool]], mailboxes: list[BounceMailbox]
    ) -> None:
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, told.set)
        for host, port, lmtp in ports:
            try:
                taken = await listener.listen(host, port, lmtp=lmtp)
            except OSError as error:
                raise CommandError(f"{host}:{port} cannot be listened on: {_reason(error)}.") from error
            self.stdout.write(f"{'LMTP' if lmtp else 'SMTP'} on {host}:{taken}")
        failed: list[str] = []

        def watching(mailbox: BounceMailbox) -> None:
            try:
                watch(mailbox, shutdown.asked)
            except Exception:
                # Whoever supervises us starts us again; going on without the mailbox would go unnoticed.
                logger.exception("The mailbox “%s” is no longer watched.", mailbox.name)
                failed.append(mailbox.name)
                loop.call_soon_threadsafe(told.set)
            finally:
                connections.close_all()

        watchers = [threading.Thread(target=watching, args=[each]) for each in mailboxes]
        for watcher, mailbox in zip(watchers, mailboxes, strict=True):
            watcher.start()
            self.stdout.write(f"Watching the mailbox “{mailbox.name}”")
        self.stdout.flush()
        await told.wait()
        shutdown.ask()
        await listener.end()
        for watcher in watchers:
            await asyncio.to_thread(watcher.join)
        if failed:
            raise CommandError(f"No longer watched: {', '.join(failed)}.")


def _unusable(error: OSError) -> str:
    """Why a certificate is of no use; what OpenSSL says of a file's form would help nobody."""
    if isinstance(error, ssl.SSLError):
        return "the file must hold a certificate in PEM form, and its key unless --key names another file"
    return _reason(error)


def _reason(error: OSError) -> str:
    """The system's words alone, without those of the library around them."""
    if isinstance(error, socket.gaierror) or error.errno is None:
        return "there is no such host"
    return os.strerror(error.errno).lower()


def _place(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise CommandError(f"“{text}” is no address to listen on. Write HOST:PORT, for example 127.0.0.1:2525.")
    return host.strip("[]"), int(port)


def _mailboxes(names: list[str]) -> list[BounceMailbox]:
    if "all" in names:
        return list(BounceMailbox.objects.filter(is_active=True))
    found = {mailbox.name: mailbox for mailbox in BounceMailbox.objects.filter(name__in=names)}
    for name in names:
        if name not in found:
            raise CommandError(f"There is no mailbox “{name}”. Add it in the administration under “Bounce mailboxes”.")
    return list(found.values())
