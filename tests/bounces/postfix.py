"""A Postfix of the tests' own: takes what we send, and relays everything to one server, also what it returns."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
local unix - n n - - local
postlog unix-dgram n - n - 1 postlogd
"""
MAIN = """
compatibility_level = 3.6
myhostname = relay.example.net
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
relayhost = [127.0.0.1]:{relay}
relay_domains =
default_transport = smtp
smtpd_relay_restrictions = permit_mynetworks, reject
smtp_tls_security_level = none
notify_classes =
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtp_host_lookup = native
smtputf8_enable = no
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
recipient_delimiter = +
"""


@contextmanager
def postfix(relay: int) -> Iterator[int]:
    """The port of a Postfix that relays to this port of the loopback. Skips the test where none can be run."""
    if shutil.which("postfix") is None or os.geteuid() != 0:
        pytest.skip("No Postfix, or not root: Postfix changes users.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Not below pytest's own folder, into which only root may look.
    with tempfile.TemporaryDirectory(prefix="postfix-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with _running(Path(folder), port, relay):
            yield port


@contextmanager
def _running(folder: Path, port: int, relay: int) -> Iterator[None]:
    for name in ("queue", "data", "etc"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (folder / "etc/main.cf").write_text(MAIN.format(folder=folder, relay=relay))
    (folder / "etc/master.cf").write_text(MASTER.format(port=port))
    for each in Path("/etc/postfix").glob("dynamicmaps*"):
        (shutil.copytree if each.is_dir() else shutil.copy)(each, folder / "etc" / each.name)
    command = ["postfix", "-c", str(folder / "etc")]
    said = folder / "said"
    try:
        with said.open("w") as output:  # no pipe: the daemons would keep it open
            subprocess.run([*command, "start"], stdout=output, stderr=output, timeout=60, check=False)
        _wait_for(port, said)
        yield
    finally:
        subprocess.run(
            [*command, "abort"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False
        )


def _wait_for(port: int, said: Path) -> None:
    for _ in range(1_200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.skip(f"Postfix does not start here: {said.read_text()[-300:]}")
