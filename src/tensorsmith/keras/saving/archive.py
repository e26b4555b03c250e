"""The .keras archive: config, weights, version, as a zip file without compression; or the same three as a folder."""

from __future__ import annotations

import datetime
import os
import struct
import zipfile
from dataclasses import dataclass
from typing import Any

from tensorsmith.core.errors import ModelFileError
from tensorsmith.exchange import safety
from tensorsmith.exchange.safety import quoted, refusal
from tensorsmith.keras.saving import tree
from tensorsmith.keras.saving.tree import Group

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
MEMBERS = (METADATA, CONFIG, WEIGHTS)

_MOST_MEMBERS = 10_000
_EXPANSION = 100
# the version of Keras whose layout is written
KERAS_VERSION = "3.15.1"
# the first moment a zip file can name: equal models give equal bytes
_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass
class Contents:
    """What an archive holds: the serialized model, its state by path, and the version of Keras whose layout it is."""

    config: Any
    weights: Group
    version: str = KERAS_VERSION

    @property
    def generation(self) -> int:
        return 3 if self.version.split(".")[0] == "3" else 2


def members(contents: Contents, dated: bool = True) -> dict[str, bytes]:
    """The files of an archive, by name.

    dated  False leaves the date out: equal models then give equal bytes.
    """
    metadata: dict[str, Any] = {"keras_version": contents.version}
    if dated:
        metadata["date_saved"] = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    return {
        METADATA: safety.write_json(metadata, "metadata").encode(),
        CONFIG: safety.write_json(contents.config, "the model's config").encode(),
        WEIGHTS: tree.write(contents.weights),
    }


def pack(files: dict[str, bytes], out: Any) -> None:
    """Writes the files into a zip archive."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)


def read(path: str) -> Contents:
    """What a .keras file, or a folder of the same files, holds; ModelFileError for anything else."""
    files = _read_folder(path) if os.path.isdir(path) else _read_zip(path)
    for name in (METADATA, CONFIG):
        if name not in files:
            raise refusal(path, f"it has no {name}", way_out="It is no .keras archive, or was not saved whole.")
    metadata = safety.parse_json(files[METADATA], path, METADATA)
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    if not isinstance(version, str) or not version[:1].isdigit():
        raise refusal(path, f"the version of Keras is {quoted(version)}", METADATA)
    if int(version.split(".")[0]) > 3:
        raise refusal(path, f"it was saved by Keras {quoted(version, 20)}, newer than what is known here (3)", METADATA)
    config = safety.parse_json(files[CONFIG], path, CONFIG)
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise refusal(path, "it describes no model", CONFIG)
    if WEIGHTS not in files:
        raise refusal(path, f"it has no {WEIGHTS}", way_out="Was it saved whole?")
    weights = tree.read(files[WEIGHTS], path, len(files[WEIGHTS]))
    return Contents(config, weights, version)


def check(path: str, files: dict[str, bytes]) -> None:
    """Reads a written archive back; ModelFileError unless it holds exactly these files."""
    if _read_zip(path) != files:
        raise refusal(path, "what was written reads back differently", way_out="Is the disk sound?")


def _read_folder(path: str) -> dict[str, bytes]:
    found = {}
    for name in MEMBERS:
        full = os.path.join(path, name)
        if os.path.islink(full) or (os.path.exists(full) and not os.path.isfile(full)):
            raise refusal(path, "it is no plain file", name)
        if os.path.isfile(full):
            if name != WEIGHTS and os.path.getsize(full) > safety.LARGEST_CONFIG_BYTES:
                raise refusal(path, "it is too large", name)
            with open(full, "rb") as file:
                found[name] = file.read()
    if CONFIG not in found and os.path.exists(os.path.join(path, "saved_model.pb")):
        raise refusal(
            path, "it is a TensorFlow SavedModel, whose graph is not read here",
            way_out="Open it in TensorFlow and save it again with model.save('model.keras').",
        )  # fmt: skip
    return found


def _read_zip(path: str) -> dict[str, bytes]:
    """The members of an archive, each read to its end, where its checksum is compared."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(path, entries, archive)
            return {entry.filename: _member(path, archive, entry) for entry in entries}
    except ModelFileError:
        raise
    except Exception as error:  # zipfile raises BadZipFile, OSError, NotImplementedError, struct.error, ValueError, ...
        raise refusal(
            path, f"its zip structure is damaged ({quoted(str(error))})", way_out="Was it copied or downloaded whole?"
        ) from error


def _check_entries(path: str, entries: list[zipfile.ZipInfo], archive: zipfile.ZipFile) -> None:
    size_bytes = safety.size_of(path)
    if len(entries) > _MOST_MEMBERS:
        raise refusal(path, f"it has {len(entries)} members")
    names = [entry.filename for entry in entries]
    if len({name.casefold() for name in names}) != len(names):
        raise refusal(path, f"members of one name stand in it twice: {quoted(sorted(names))}")
    end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        place = f"member {quoted(entry.filename)!r}"
        if entry.filename == "model.weights.npz":
            raise refusal(path, "weights as .npz are not read", place, "Save them as model.weights.h5.")
        if entry.filename not in MEMBERS:
            raise refusal(path, f"it is none of {', '.join(MEMBERS)}", place)
        if entry.flag_bits & 0x1:
            raise refusal(path, "it is encrypted", place)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refusal(path, f"it is packed by method {entry.compress_type}", place)
        if (entry.external_attr >> 16) & 0o170000 not in (0, 0o100000):
            raise refusal(path, "it is a link or no plain file", place)
        if entry.compress_type == zipfile.ZIP_STORED and entry.compress_size != entry.file_size:
            raise refusal(path, "its two sizes differ though it is not packed", place)
        if entry.file_size > max(_EXPANSION * entry.compress_size, 2**16) or entry.compress_size > size_bytes:
            raise refusal(path, f"{entry.compress_size} bytes would become {entry.file_size}", place)
        if entry.filename != WEIGHTS and entry.file_size > safety.LARGEST_CONFIG_BYTES:
            raise refusal(path, f"it has {entry.file_size} bytes", place)
        end = _check_local(path, archive, entry, end, place)
    total = sum(entry.file_size for entry in entries)
    if total > 4 * size_bytes + safety.SPARE_BYTES:
        raise refusal(path, f"its members together would have {total} bytes")


def _check_local(path: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, end: int, place: str) -> int:
    """Compares the directory with the header that stands before the data; gives where the data end."""
    file: Any = archive.fp
    if entry.header_offset < end:
        raise refusal(path, "it overlaps another member", place)
    file.seek(entry.header_offset)
    head = file.read(30)
    if len(head) < 30 or head[:4] != safety.ZIP_SIGNATURE:
        raise refusal(path, "its header is damaged", place)
    name_length, extra_length = struct.unpack("<HH", head[26:30])
    if file.read(name_length) != entry.orig_filename.encode("utf-8"):
        raise refusal(path, "it has another name in its header than in the directory", place)
    return entry.header_offset + 30 + name_length + extra_length + entry.compress_size


def _member(path: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as member:
        # one byte more than declared: a member that does not end where it says is refused
        data = member.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise refusal(path, f"it holds {len(data)} bytes, not {entry.file_size}", f"member {quoted(entry.filename)!r}")
    return data
