"""A file is replaced whole or not at all: when the saver is killed, the disk is full, or writing fails."""

import fcntl
import os
import pathlib
import resource
import signal
import subprocess
import sys
import textwrap

import pytest

from tensorsmith.exchange import atomic

MOMENTS = ("created", "written", "checked", "replaced")
OLD, NEW = b"old content", b"new content, of another length"


def names(folder):
    return sorted(os.listdir(folder))


def run(code, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}, **options,
    )  # fmt: skip


def killed_at(moment, body):
    """Runs a saver that is killed, without any chance to clean up, at one moment of its work."""
    code = f"""
import os, signal
from tensorsmith.exchange import atomic
atomic.hooks[{moment!r}] = lambda: os.kill(os.getpid(), signal.SIGKILL)
{body}
"""
    done = run(code)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_new_file_and_its_replacement(tmp_path):
    path = str(tmp_path / "größe 1.keras")
    atomic.write_file(path, lambda file: file.write(OLD))
    os.chmod(path, 0o666)  # wider than the usual umask lets a new file be
    atomic.write_file(path, lambda file: file.write(NEW))
    assert pathlib.Path(path).read_bytes() == NEW and names(tmp_path) == ["größe 1.keras"]
    assert os.stat(path).st_mode & 0o777 == 0o666


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_saver_killed_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path, moment):
    path = tmp_path / "model.h5"
    path.write_bytes(OLD)
    killed_at(moment, f"atomic.write_file({str(path)!r}, lambda file: file.write({NEW!r}))")
    assert path.read_bytes() == (NEW if moment == "replaced" else OLD)
    left = [name for name in names(tmp_path) if name != "model.h5"]
    assert len(left) == (moment != "replaced")
    # the next save removes what the killed one left, and nothing else
    (tmp_path / "model.h5.mine").write_bytes(b"")
    atomic.write_file(str(path), lambda file: file.write(NEW))
    assert names(tmp_path) == ["model.h5", "model.h5.mine"] and path.read_bytes() == NEW


def test_a_file_that_another_saver_is_writing_is_left_alone(tmp_path):
    path = tmp_path / "model.h5"
    seen = []

    def slowly(file):
        atomic.write_file(str(path), lambda inner: inner.write(b"the other"))
        seen.extend(names(tmp_path))
        file.write(NEW)

    atomic.write_file(str(path), slowly)
    assert path.read_bytes() == NEW  # the last commit wins
    assert len(seen) == 2 and "model.h5" in seen  # the other's save did not remove ours


def test_which_left_files_are_removed(tmp_path):
    """A lock, or a young file of a process that lives, says that a save is under way."""
    path = tmp_path / "model.h5"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mark = ".tensorsmith-saving-"
    locked, stale = tmp_path / f"model.h5{mark}{dead.pid}-a", tmp_path / f"model.h5{mark}{dead.pid}-b"
    young, old = tmp_path / f"model.h5{mark}{os.getpid()}-c", tmp_path / f"model.h5{mark}{os.getpid()}-d"
    for file in (locked, stale, young, old):
        file.write_bytes(OLD)
    os.utime(old, (0, 0))
    with open(locked, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        atomic.write_file(str(path), lambda file: file.write(NEW))
        assert {locked.exists(), young.exists()} == {True} and {stale.exists(), old.exists()} == {False}
    atomic.write_file(str(path), lambda file: file.write(NEW))
    assert not locked.exists()


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), MemoryError()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "model.h5"
    path.write_bytes(OLD)

    def fails(file):
        file.write(NEW)
        raise error

    with pytest.raises(type(error)):
        atomic.write_file(str(path), fails)
    assert path.read_bytes() == OLD and names(tmp_path) == ["model.h5"]


def test_a_file_that_does_not_read_back_is_not_put_in_place(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(OLD)

    def check(temporary):
        assert pathlib.Path(temporary).read_bytes() == NEW
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        atomic.write_file(str(path), lambda file: file.write(NEW), check)
    assert path.read_bytes() == OLD and names(tmp_path) == ["model.h5"]


@pytest.mark.parametrize("limit", [0, 1, 4096, 99_999])
def test_a_full_disk_leaves_the_old_file_and_names_the_target(tmp_path, limit):
    path = tmp_path / "model.h5"
    path.write_bytes(OLD)
    done = run(
        f"""
        import resource
        from tensorsmith.exchange import atomic
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
        try:
            atomic.write_file({str(path)!r}, lambda file: file.write(b"x" * 100_000))
        except OSError as error:
            print(error.errno, error.strerror)
        """
    )
    assert done.stdout.strip() == (
        f"27 The model could not be saved to {str(path)!r} (File too large); what was there before is unchanged."
    ), done.stderr
    assert path.read_bytes() == OLD and names(tmp_path) == ["model.h5"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != limit


def test_targets_that_cannot_work_are_refused_first(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"cannot be saved to '.*missing/m.keras': there is no folder '.*missing'"
    ):
        atomic.checked_target(tmp_path / "missing" / "m.keras")
    for empty in ("", b"", "a\0b"):
        with pytest.raises(ValueError, match="this is no path"):
            atomic.checked_target(empty)
    (tmp_path / "there.keras").write_bytes(OLD)
    with pytest.raises(FileExistsError, match=r"there.keras' exists already. Save with overwrite=True to replace it"):
        atomic.checked_target(tmp_path / "there.keras", overwrite=False)
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="there is a folder of this name"):
        atomic.write_file(str(tmp_path / "folder.keras"), lambda file: None)


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.keras").write_bytes(OLD)
    (tmp_path / "link.keras").symlink_to("real.keras")
    atomic.write_file(atomic.checked_target(tmp_path / "link.keras"), lambda file: file.write(NEW))
    assert (tmp_path / "real.keras").read_bytes() == NEW and (tmp_path / "link.keras").is_symlink()


# ---- folders


def fill(content):
    def write(folder):
        for name in ("config.json", "metadata.json", "model.weights.h5"):
            pathlib.Path(folder, name).write_bytes(content)

    return write


NAMES = ("config.json", "metadata.json", "model.weights.h5")


def content_of(folder):
    return {pathlib.Path(folder, name).read_bytes() for name in names(folder)}


@pytest.mark.parametrize("moment", ["created", "written", "checked", "aside", "replaced"])
def test_a_saver_of_a_folder_killed_at_any_moment(tmp_path, moment):
    path = str(tmp_path / "model")
    atomic.write_folder(path, fill(OLD), NAMES)
    killed_at(
        moment,
        f"""
def fill(folder):
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        open(os.path.join(folder, name), "wb").write({NEW!r})
atomic.write_folder({path!r}, fill, {NAMES!r})""",
    )
    atomic.recover_folder(path)
    assert content_of(path) == {NEW if moment == "replaced" else OLD}
    assert names(tmp_path) == ["model"]
    atomic.write_folder(path, fill(NEW), NAMES)
    assert content_of(path) == {NEW} and names(tmp_path) == ["model"]


def test_a_folder_that_fails_half_way(tmp_path):
    path = str(tmp_path / "model")
    atomic.write_folder(path, fill(OLD), NAMES)

    def fails(folder):
        fill(NEW)(folder)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        atomic.write_folder(path, fails, NAMES)
    assert content_of(path) == {OLD} and names(tmp_path) == ["model"]


def test_a_folder_of_other_things_is_never_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "config.json").write_bytes(b"")
    (tmp_path / "photos" / "cat.png").write_bytes(b"")
    with pytest.raises(FileExistsError, match="the folder holds other files"):
        atomic.write_folder(str(tmp_path / "photos"), fill(NEW), NAMES)
    assert names(tmp_path / "photos") == ["cat.png", "config.json"]
    (tmp_path / "file").write_bytes(OLD)
    with pytest.raises(NotADirectoryError, match="there is a file of this name"):
        atomic.write_folder(str(tmp_path / "file"), fill(NEW), NAMES)
