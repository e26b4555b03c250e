"""Compiled programs kept on disk between processes.

An entry is machine code that XLA made here, so it is read only from a directory that no other user
can write to, only when its digest fits, and only by the version, on the processor, that wrote it.
`TENSORSMITH_CACHE_DIR` names the directory (default `~/.cache/tensorsmith`); set empty, nothing is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

MAGIC = b"tensorsmith-xla-1\n"
LIMIT_BYTES = 512 * 2**20

_fingerprint: bytes | None = None


def directory() -> Path | None:
    """The cache directory, made if need be; None when it is switched off or is not safe to read."""
    chosen = os.environ.get("TENSORSMITH_CACHE_DIR")
    if chosen == "":
        return None
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(chosen) if chosen else Path(base) / "tensorsmith"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except OSError:
        return None
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        return None
    return path


def fingerprint() -> bytes:
    """What a compiled program depends on besides its own text: our code, JAX's, the processor."""
    global _fingerprint
    if _fingerprint is None:
        from jaxlib.version import __version__ as jaxlib_version

        digest = hashlib.sha256()
        package = Path(__file__).parent.parent
        for file in sorted(package.rglob("*.py")):
            status = file.stat()
            digest.update(f"{file.relative_to(package)} {status.st_size} {status.st_mtime_ns};".encode())
        digest.update(f"{jaxlib_version} {platform.machine()} {platform.system()}".encode())
        with contextlib.suppress(OSError):
            lines = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines()
            kept = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
            digest.update("".join(kept).encode())
        _fingerprint = digest.digest()
    return _fingerprint


def entry(key: bytes) -> Path | None:
    """The file of a program known by `key`; None when nothing is kept."""
    folder = directory()
    if folder is None:
        return None
    return folder / hashlib.sha256(fingerprint() + key).hexdigest()


def load(path: Path) -> bytes | None:
    """The program in a file, or None when it is missing or damaged."""
    try:
        data = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    head, body = data[: len(MAGIC) + 32], data[len(MAGIC) + 32 :]
    return body if head == MAGIC + hashlib.sha256(body).digest() else None


def store(path: Path, serialize: Callable[[], bytes]) -> None:
    """Keeps a program; a full or read-only disk keeps nothing and disturbs nobody."""
    try:
        body = serialize()
    except Exception:  # not every backend can serialize its programs
        return
    with contextlib.suppress(OSError):
        _make_room(path.parent, len(body))
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + hashlib.sha256(body).digest() + body)
            os.replace(name, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)


def _make_room(folder: Path, wanted: int) -> None:
    """Deletes the programs that were not used for the longest time until `wanted` bytes fit the limit."""
    files = [(f.stat().st_mtime, f.stat().st_size, f) for f in folder.iterdir() if f.is_file()]
    total = sum(size for _, size, _ in files) + wanted
    for _, size, file in sorted(files, key=lambda row: row[:2]):
        if total <= LIMIT_BYTES:
            break
        file.unlink(missing_ok=True)
        total -= size
