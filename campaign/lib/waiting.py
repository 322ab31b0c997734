"""Reading from a server that is waited for so long and no longer, however little it says at a time."""

import io
import socket
from collections.abc import Callable
from typing import Any

Patience = Callable[[], float]
"""Seconds that may be waited before it is asked again. Raises TimeoutError when the time is over, and
:class:`Interrupted`."""


class Interrupted(OSError):
    """Who waits for a server must do something else; the server is not to blame."""


class Reading(io.RawIOBase):
    """A socket's octets, each read in the time that is left. One octet a time must not stretch a wait without end."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        self._socket = sock
        self._patience = patience

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Octets read; 0 at the end. Raises OSError and what `patience` raises."""
        while True:
            self._socket.settimeout(self._patience())
            try:
                return self._socket.recv_into(buffer)
            except TimeoutError:  # patience says when it is over
                continue
