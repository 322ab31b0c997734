"""The installation's secret when the environment gives none: made once, kept on disk for the owner's eyes only."""

import os
import secrets
from pathlib import Path


def kept(var_dir: Path) -> str:
    """The key in ``var_dir/secret_key``, made (mode 600) on the first call; processes starting together agree."""
    path = var_dir / "secret_key"
    if not path.exists():
        _make(path)
    return path.read_text().strip()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"secret_key.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        # Unlike rename, link never replaces the key another process has just made.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
