"""A real Dovecot on the loopback, run without rights from a folder of its own. Import the fixture `dovecot`."""

import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deliveries.sending.certificates import Authority
from tests.processes import running

PASSWORD = "mailbox-secret"

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
disable_plaintext_auth = no
auth_mechanisms = plain xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
pop3_uidl_format = %08Xu%08Xv
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
namespace inbox {{
  inbox = yes
}}
{more}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server. Whoever logs in with the password has a mailbox."""

    folder: Path
    imap: int
    imaps: int
    pop3: int
    pop3s: int

    def port(self, protocol: str, security: str) -> int:
        """Where it speaks ``imap`` or ``pop3``, with ``tls`` from the start or ``starttls``."""
        ports = {"imap": (self.imap, self.imaps), "pop3": (self.pop3, self.pop3s)}
        return ports[protocol][security == "tls"]

    def put(self, user: str, *mails: bytes) -> None:
        """Lay mails into the user's inbox, as a delivery agent would."""
        for number, mail in enumerate(mails):
            for name in ("cur", "new", "tmp"):
                self._own(self.folder / "mail" / user / name)
            file = self.folder / "mail" / user / "new" / f"{time.time_ns()}.M{number}.test"
            file.write_bytes(mail)
            self._give(file)

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """The flags of each mail in a folder, in the order of arrival, as the server's own tool tells them."""
        said = self._doveadm("fetch", "-u", user, "flags", "mailbox", folder, "all")
        lines = (line.removeprefix("flags:") for line in said.splitlines() if line.startswith("flags:"))
        # \Recent means that no session saw the mail yet, not that anything was done to it.
        return [" ".join(flag for flag in line.split() if flag != "\\Recent") for line in lines]

    def subjects(self, user: str, folder: str = "INBOX") -> list[str]:
        """The subject of each mail in a folder, in the order of arrival."""
        said = self._doveadm("fetch", "-u", user, "hdr.subject", "mailbox", folder, "all")
        return [line.partition(":")[2].strip() for line in said.splitlines() if line.startswith("hdr.subject:")]

    def renumber(self, user: str) -> None:
        """Give every mail another number, as after a restored backup: UIDVALIDITY changes."""
        folder = self.folder / "mail" / user
        numbers = folder / "dovecot-uidlist"
        changed = re.sub(r"(?m)^3 V(\d+)", lambda found: f"3 V{int(found[1]) + 1000}", numbers.read_text())
        for file in folder.glob("dovecot*"):
            file.unlink()
        numbers.write_text(changed)
        self._give(numbers)

    def _doveadm(self, *command: str) -> str:
        doveadm = [*_as_nobody(), "doveadm", "-c", str(self.folder / "dovecot.conf"), *command]
        return subprocess.run(doveadm, check=True, capture_output=True, text=True, timeout=60).stdout

    def _own(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for each in (folder.parent, folder):
            self._give(each)

    @staticmethod
    def _give(path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, *_nobody())


def _nobody() -> tuple[int, int]:
    found = pwd.getpwnam("nobody")
    return found.pw_uid, found.pw_gid


def _as_nobody() -> list[str]:
    """Dovecot does not serve the mail of root."""
    if os.geteuid() != 0:
        return []
    user, group = _nobody()
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _server(more: str, certificate: Path) -> Iterator[Dovecot]:
    if shutil.which("dovecot") is None or shutil.which("doveadm") is None:
        pytest.skip("No Dovecot: install Debian's packages dovecot-imapd and dovecot-pop3d.")
    version = subprocess.run(["dovecot", "--version"], check=True, capture_output=True, text=True).stdout
    if not version.startswith("2.3."):
        pytest.skip(f"This Dovecot is {version.split()[0]}; the tests' configuration is for 2.3.")
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    imap, imaps, pop3, pop3s = _free_ports(4)
    dovecot = Dovecot(folder, imap, imaps, pop3, pop3s)
    user, group = _nobody() if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    (folder / "dovecot.conf").write_text(
        _CONFIGURATION.format(
            folder=folder,
            password=PASSWORD,
            more=more,
            user=pwd.getpwuid(user).pw_name,
            group=grp.getgrgid(group).gr_name,
            imap=imap,
            imaps=imaps,
            pop3=pop3,
            pop3s=pop3s,
        )
    )
    shutil.copy(certificate, folder / "server.pem")
    for name in ("", "run", "state", "mail", "home", "dovecot.conf", "server.pem"):
        path = folder / name
        if not path.exists():
            path.mkdir()
        dovecot._give(path)
    try:
        with running([*_as_nobody(), "dovecot", "-F", "-c", str(folder / "dovecot.conf")]) as process:
            _wait_for(dovecot, process)
            yield dovecot
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(dovecot: Dovecot, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            for port in (dovecot.imap, dovecot.imaps, dovecot.pop3, dovecot.pop3s):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    log = dovecot.folder / "dovecot.log"
    raise RuntimeError(f"Dovecot did not start: {log.read_text() if log.exists() else 'no log'}")


@pytest.fixture(scope="module")
def dovecot(authority: Authority) -> Iterator[Dovecot]:
    """A server that offers IDLE, MOVE and UIDPLUS."""
    yield from _server("", authority.right_pem)
