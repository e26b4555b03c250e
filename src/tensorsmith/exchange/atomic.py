"""Writes a file, or a folder, whole or not at all.

At every instant the target is the old complete file or the new complete one. The bytes go to a unique temporary
name beside it, are flushed to the disk and checked there, and only then is the name switched.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import shutil
import time
import uuid
from collections.abc import Callable
from typing import Any

_MARK = ".tensorsmith-saving-"

# tests put functions here, by the name of a moment, to stop or kill the process at it
hooks: dict[str, Callable[[], None]] = {}


def _at(moment: str) -> None:
    hook = hooks.get(moment)
    if hook is not None:
        hook()


def checked_target(filepath: Any, overwrite: bool = True) -> str:
    """The absolute path to write to. Refuses, before any byte is written, a target that cannot work."""
    path = os.fspath(filepath)
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not path or "\0" in path:
        raise ValueError(f"A model cannot be saved to {path!r}: this is no path.")
    full = os.path.abspath(path)
    parent = os.path.dirname(full)
    if not os.path.isdir(parent):
        raise FileNotFoundError(f"The model cannot be saved to {path!r}: there is no folder {parent!r}.")
    if os.path.lexists(full) and not overwrite:
        raise FileExistsError(f"{path!r} exists already. Save with overwrite=True to replace it.")
    # a link is followed, so that what it points to is replaced and not the link
    return os.path.realpath(full)


def write_file(path: str, parts: Callable[[Any], None], check: Callable[[str], None] | None = None) -> None:
    """Replaces the file at `path` by what `parts(file)` writes.

    check  reads the finished temporary file back and raises when it is not whole.

    Whatever fails, the old file is left byte for byte, the temporary one is removed, and the error names the target.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"The model cannot be saved to {path!r}: there is a folder of this name.")
    _remove_stale(path)
    temporary = f"{path}{_MARK}{os.getpid()}-{uuid.uuid4().hex[:12]}"
    try:
        # O_EXCL: the name is ours alone, even where others may write to the folder
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(handle, "wb") as file:
            mode = _mode_of(path)
            if mode is not None:
                os.fchmod(handle, mode)
            # the lock lives as long as this process: it tells a save under way from a stale file
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            _at("created")
            parts(file)
            file.flush()
            _at("written")
            os.fsync(file.fileno())
            if check is not None:
                check(temporary)
            _at("checked")
            os.replace(temporary, path)
        _at("replaced")
        _sync_folder(os.path.dirname(path))
    except BaseException as error:
        _unlink(temporary)
        if isinstance(error, OSError):
            raise _told(error, path) from error
        raise


def write_folder(path: str, fill: Callable[[str], None], names: tuple[str, ...]) -> None:
    """Replaces the folder at `path` by one that `fill(folder)` fills.

    names  of the files in it: a folder that lacks the first of them, or holds others, is somebody else's and kept.

    A folder cannot be replaced in one step where the old one is not empty: it is renamed aside first and removed last.
    Stopped in between, the next save or load puts the old one back.
    """
    if os.path.lexists(path) and not os.path.isdir(path):
        raise NotADirectoryError(f"The model cannot be saved to the folder {path!r}: there is a file of this name.")
    recover_folder(path)
    if os.path.isdir(path) and os.listdir(path) and not is_ours(path, names):
        raise FileExistsError(f"The model cannot be saved to {path!r}: the folder holds other files. Give a new name.")
    temporary = f"{path}{_MARK}{os.getpid()}-{uuid.uuid4().hex[:12]}"
    old = f"{path}{_MARK}old"
    try:
        os.mkdir(temporary)
        _at("created")
        fill(temporary)
        _at("written")
        for name in os.listdir(temporary):
            with open(os.path.join(temporary, name), "rb") as file:
                os.fsync(file.fileno())
        _sync_folder(temporary)
        _at("checked")
        if os.path.isdir(path):
            os.rename(path, old)
            _at("aside")
        os.rename(temporary, path)
        _at("replaced")
        _sync_folder(os.path.dirname(path))
        shutil.rmtree(old, ignore_errors=True)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        recover_folder(path)
        if isinstance(error, OSError):
            raise _told(error, path) from error
        raise


def recover_folder(path: str) -> None:
    """Finishes what a killed saver left: puts the old folder back, or removes it when there is a new one."""
    old = f"{path}{_MARK}old"
    if os.path.isdir(old):
        if os.path.isdir(path):
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(old, path)
    for stale in glob.glob(glob.escape(path + _MARK) + "[0-9]*"):
        if os.path.isdir(stale) and not _alive(stale):
            shutil.rmtree(stale, ignore_errors=True)


def is_ours(folder: str, names: tuple[str, ...]) -> bool:
    """True for a folder that this library wrote: only such a one is ever replaced."""
    found = set(os.listdir(folder))
    return names[0] in found and found <= set(names)


def _remove_stale(path: str) -> None:
    """Removes temporary files of savers that were killed; those of savers still at work hold a lock."""
    for stale in glob.glob(glob.escape(path + _MARK) + "[0-9]*"):
        try:
            with open(stale, "rb") as file:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                # a saver that made its file this moment and has not locked it yet is alive and its file young
                if not _alive(stale) or time.time() - os.fstat(file.fileno()).st_mtime > 60:
                    os.unlink(stale)
        except OSError:
            continue  # at work, or removed by another saver meanwhile


def _alive(stale: str) -> bool:
    number = stale.rsplit(_MARK, 1)[1].split("-")[0]
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return True
    return True


def _mode_of(path: str) -> int | None:
    """The rights of the file that is replaced; None where there is none."""
    try:
        return os.stat(path).st_mode & 0o777
    except OSError:
        return None


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _sync_folder(folder: str) -> None:
    handle = os.open(folder or ".", os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        pass  # some network file systems cannot; the file itself is safe by then
    finally:
        os.close(handle)


def _told(error: OSError, path: str) -> OSError:
    reason = error.strerror or str(error)
    text = f"The model could not be saved to {path!r} ({reason}); what was there before is unchanged."
    return type(error)(error.errno, text) if error.errno is not None else OSError(text)
