"""Start a server so that it never outlives its keeper and never runs as root where it must not."""

import ctypes
import os
import pwd
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_GET_SECUREBITS = 27
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAPABILITY_VERSION_3 = 0x20080522

# Loaded here because nothing may be imported between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True)


def unprivileged_user(var_dir: Path) -> pwd.struct_passwd | None:
    """Whom root becomes for a server that refuses root: the owner of ``var_dir``, or ``nobody`` if that is root.

    None for everyone but root, who need not become anyone.
    """
    if os.geteuid() != 0:
        return None
    owner = var_dir.stat().st_uid
    try:
        return pwd.getpwuid(owner) if owner != 0 else pwd.getpwnam("nobody")
    except KeyError:
        return pwd.getpwnam("nobody")


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    user: pwd.struct_passwd | None = None,
    stop_signal: signal.Signals,
    keep_open: int,
) -> subprocess.Popen[bytes]:
    """Start ``command``; the kernel sends it ``stop_signal`` when the calling process dies, however it dies (Linux).

    Output is appended to ``log``. ``keep_open`` is a descriptor the process inherits: a lock that shows it is alive.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command line
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            pass_fds=[keep_open],
            # The keeper has one thread, so running Python between fork and exec is safe.
            preexec_fn=before_exec(user, stop_signal),
            # Out of the terminal's reach: Ctrl-C is for the program in the foreground.
            start_new_session=True,
        )


def run_as(command: Sequence[str | Path], *, user: pwd.struct_passwd | None) -> subprocess.CompletedProcess[str]:
    """Run ``command`` to its end, with its output; stopped with the caller like :func:`start`."""
    return subprocess.run(  # noqa: S603 - our own command line
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        preexec_fn=before_exec(user, signal.SIGTERM),
    )


def before_exec(user: pwd.struct_passwd | None, stop_signal: signal.Signals) -> Callable[[], None]:
    """What a child does before it becomes its program: change to ``user`` and ask to be stopped with its parent."""

    def prepare() -> None:
        if user is not None:
            _become(user)
        if sys.platform == "linux":
            # After the change of user, which clears it.
            _libc.prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)

    return prepare


def _become(user: pwd.struct_passwd) -> None:
    """Give up root for ``user``, keeping (on Linux) the one right to pass through folders that are root's alone.

    Without it the project could not lie in /root, unless folders were opened to everyone on the machine.
    """
    if sys.platform == "linux":
        _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        # Else access(), by which PostgreSQL looks for its own programs, knows nothing of that right.
        bits = _libc.prctl(PR_GET_SECUREBITS, 0, 0, 0, 0)
        _libc.prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    if sys.platform == "linux":
        mask = 1 << CAP_DAC_OVERRIDE
        header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
        _libc.capset(header, struct.pack("=6I", mask, mask, mask, 0, 0, 0))
        _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)
