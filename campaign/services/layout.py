"""Where the services keep what: files under ``VAR_DIR/services``, sockets where their path is short enough."""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

LONGEST_SOCKET_PATH_BYTES = 103  # macOS; Linux has 107
DATABASE = "campaign"
POSTGRESQL_SOCKET = ".s.PGSQL.5432"
REDIS_SOCKET = "redis.sock"


class ServiceProblem(Exception):
    """A service cannot be started. ``str()`` is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses of the running services, in the form DATABASE_URL and REDIS_URL have."""

    database: str
    redis: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one VAR_DIR's services."""

    var_dir: Path

    @property
    def folder(self) -> Path:
        return self.var_dir / "services"

    @property
    def users_lock(self) -> Path:
        """Held shared by every process that uses the services."""
        return self.folder / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the one process that looks for a keeper or starts one."""
        return self.folder / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper alone: whoever can take it knows that there is none."""
        return self.folder / "keeper.lock"

    @property
    def watch_lock(self) -> Path:
        """Held by the keeper as long as it lives. Nothing is decided by it: running processes sleep on it."""
        return self.folder / "watch.lock"

    @property
    def children_lock(self) -> Path:
        """Held by the keeper and inherited by both servers: free only when all of them are gone."""
        return self.folder / "children.lock"

    @property
    def state(self) -> Path:
        """What the keeper says of itself: the addresses, or the sentence why there are none."""
        return self.folder / "state.json"

    @property
    def keeper_log(self) -> Path:
        return self.folder / "keeper.log"

    @property
    def postgresql_data(self) -> Path:
        return self.folder / "postgresql"

    @property
    def postgresql_log(self) -> Path:
        return self.folder / "postgresql.log"

    @property
    def redis_data(self) -> Path:
        return self.folder / "redis"

    @property
    def redis_log(self) -> Path:
        return self.folder / "redis.log"

    @property
    def disposable(self) -> bool:
        """Whether losing the data in a power cut is fine: the folder of the tests (``var/test``)."""
        return self.var_dir.name == "test"

    def sockets(self) -> Path:
        """The folder of the sockets, made private to its owner."""
        near = self.folder / "run"
        folder = near if _fits(near) else self._short_folder()
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or (os.geteuid() != 0 and found.st_uid != os.geteuid()):
            raise ServiceProblem(f"The folder {folder} belongs to someone else; remove it and start again.")
        return folder

    def urls(self) -> Urls:
        """The addresses of the services, running or not."""
        sockets = quote(str(self.sockets()))
        return Urls(
            database=f"postgresql://postgres@/{DATABASE}?host={sockets}",
            redis=f"unix://{sockets}/{REDIS_SOCKET}?db=0",
        )

    def _short_folder(self) -> Path:
        owner_and_place = f"{os.geteuid()}:{self.var_dir}".encode()
        name = f"campaign-{hashlib.sha256(owner_and_place).hexdigest()[:16]}"
        candidates = [Path(tempfile.gettempdir()) / name, Path("/tmp") / name]  # noqa: S108 - made private above
        return next((folder for folder in candidates if _fits(folder)), candidates[-1])


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / POSTGRESQL_SOCKET)) <= LONGEST_SOCKET_PATH_BYTES
