"""Where what arrived is kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

MESSAGES_PER_FOLDER: Final = 1_000


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came: octets after undoing the dot-stuffing, and the parameters of MAIL."""

    sender: str
    recipients: tuple[str, ...]
    parameters: tuple[str, ...]
    data: bytes


class Mailbox:
    """Where messages go: numbered files below a folder, or (without a folder) a list in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.messages: list[Received] = []
        self.count = max((int(path.stem) for path in folder.glob("*/*.eml")), default=0) if folder else 0

    def store(self, received: Received) -> None:
        """Keep one message."""
        self.count += 1
        if self.folder is None:
            self.messages.append(received)
            return
        shelf = self.folder / f"{self.count // MESSAGES_PER_FOLDER:06d}"
        if not (self.count % MESSAGES_PER_FOLDER and shelf.exists()):
            shelf.mkdir(parents=True, exist_ok=True)
        trace = f"Return-Path: <{received.sender}>\r\n" + "".join(
            f"Delivered-To: {recipient}\r\n" for recipient in received.recipients
        )
        with (shelf / f"{self.count:09d}.eml").open("wb", buffering=0) as file:
            file.write(trace.encode() + received.data)
