"""What a file may name and how large it may be; every refusal in one place.

A model file is untrusted: whatever is read from it passes a check of this file first, and what fails is told by one
kind of error, `ModelFileError`, which says the file, the place in it, what was found and what was expected.
"""

from __future__ import annotations

import json
import os
import re
import stat
from typing import Any

from tensorsmith.core.errors import ModelFileError

LARGEST_CONFIG_BYTES = 64 * 2**20
LARGEST_STRING = 2**20
DEEPEST_JSON = 200
MOST_JSON_NODES = 10**6
LARGEST_DIMENSION = 2**31
HIGHEST_RANK = 32
MOST_ELEMENTS = 2**40
# memory that reading may take beside 4 times the size of the file
SPARE_BYTES = 256 * 2**20
LONGEST_MESSAGE = 2000

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_SIGNATURE = b"PK\x03\x04"

# what people have instead of a model when a download or a checkout went wrong
_OTHER_THINGS = (
    (b"version https://git-lfs", "a Git LFS pointer: the model itself was not fetched. Run `git lfs pull`."),
    (b"\x1f\x8b", "a gzip archive. Unpack it first."),
    (b"BZh", "a bzip2 archive. Unpack it first."),
    (b"\xfd7zXZ", "an xz archive. Unpack it first."),
    (b"7z\xbc\xaf", "a 7-Zip archive. Unpack it first."),
    (b"PK\x05\x06", "an empty zip archive."),
    (b"\x93NUMPY", "a NumPy array: read it with numpy.load."),
    (b"\x80", "a pickle, which could run any code: it is never read."),
    (b"%PDF", "a PDF document."),
    (b"\x89PNG", "a picture."),
    (b"{", "a JSON text: keras.models.model_from_json reads those."),
)


def quoted(value: Any, length: int = 200) -> str:
    """A value out of a file as it may stand in a message: escaped, and cut."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: length + 1])
    return text if len(text) <= length else text[: length - 3] + "..."


def refusal(file: Any, wrong: str, place: str = "", way_out: str = "") -> ModelFileError:
    """The error for a file that cannot be read or is refused.

    >>> str(refusal("a.keras", "it has no config.json", way_out="Was it saved whole?"))
    "The model file 'a.keras' cannot be loaded: it has no config.json. Was it saved whole?"
    """
    at = f" in {place}:" if place else ""
    text = f"The model file {quoted(str(file))!r} cannot be loaded:{at} {wrong}." + (f" {way_out}" if way_out else "")
    return ModelFileError(text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 3] + "...")


def checked_path(filepath: Any) -> str:
    """The path of something to read. FileNotFoundError when there is nothing; refuses pipes, sockets and devices."""
    path = os.fspath(filepath)
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"There is no model file at {path!r} (in {os.getcwd()!r}).") from None
    except ValueError as error:  # a NUL in the path
        raise refusal(path, "this cannot be a path") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise refusal(path, "it is neither a file nor a folder")
    return path


def kind_of(path: str) -> str:
    """`"zip"`, `"hdf5"` or `"folder"`, told by content and never by name; ModelFileError for anything else."""
    if os.path.isdir(path):
        return "folder"
    try:
        with open(path, "rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise refusal(path, f"it cannot be opened ({error.strerror})") from error
    if head.startswith(ZIP_SIGNATURE):
        return "zip"
    if head.startswith(HDF5_SIGNATURE):
        return "hdf5"
    if not head:
        raise refusal(path, "it is empty", way_out="Was the disk full, or a copy interrupted?")
    for start, thing in _OTHER_THINGS:
        if head.startswith(start):
            raise refusal(path, f"it is {thing[:-1]}")
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise refusal(
            path, "it is a web page", way_out="The download gave a page, perhaps an error or a login, not the model."
        )
    raise refusal(path, f"it is neither a .keras archive nor an HDF5 file (it starts with {head[:8]!r})")


def size_of(path: str) -> int:
    return os.stat(path).st_size


# ---- JSON

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{},]")


def parse_json(text: bytes | str, file: Any, place: str) -> Any:
    """The value of a JSON text.

    Refuses what is not UTF-8, too large, too deep, of too many parts, doubled keys and integers beyond 64 bits.
    Depth is counted before parsing, since the parser recurses.
    """
    if len(text) > LARGEST_CONFIG_BYTES:
        raise refusal(file, f"{len(text)} bytes are more than the {LARGEST_CONFIG_BYTES} that a config may have", place)
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise refusal(file, f"the text is no UTF-8 (byte {error.start})", place) from error
    longest = 0

    def blank(match: re.Match) -> str:
        nonlocal longest
        longest = max(longest, match.end() - match.start())
        return ""

    bare = _JSON_STRING.sub(blank, text)
    if longest > LARGEST_STRING:
        raise refusal(file, f"a string of {longest} characters is longer than {LARGEST_STRING}", place)
    depth = nodes = 0
    for match in _BRACKETS.finditer(bare):
        sign = match.group()
        nodes += sign in "[{,"
        depth += (sign in "[{") - (sign in "]}")
        if depth > DEEPEST_JSON or nodes > MOST_JSON_NODES:
            raise refusal(
                file, f"it is deeper than {DEEPEST_JSON} levels or has more than {MOST_JSON_NODES} parts", place
            )

    def integer(digits: str) -> int:
        if len(digits) > 20 or not -(2**63) <= int(digits) < 2**64:
            raise refusal(file, f"the integer {quoted(digits, 40)} needs more than 64 bits", place)
        return int(digits)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            doubled = next(k for k in found if sum(k == other for other, _ in pairs) > 1)
            raise refusal(file, f"the key {quoted(doubled)!r} stands twice in one object", place)
        return found

    try:
        return json.loads(text, parse_int=integer, object_pairs_hook=once)
    except ModelFileError:
        raise
    except (ValueError, RecursionError) as error:
        raise refusal(file, f"the text is no JSON ({quoted(str(error))})", place) from error


def write_json(value: Any, what: str) -> str:
    """A JSON text with keys in the order given. Raises TypeError that names what cannot be written, and where."""
    _check_plain(value, what)
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _check_plain(value: Any, place: str) -> None:
    if value is None or isinstance(value, (bool, int, float, str)):
        return
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{place} cannot be saved: the key {quoted(key)} in its config is no string.")
            _check_plain(part, f"{place}[{key!r}]" if len(place) < 300 else place)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _check_plain(part, place)
    else:
        raise TypeError(
            f"{place} cannot be saved: it is {quoted(value)} ({type(value).__name__}), and a config holds only "
            "numbers, strings, booleans, None, and lists and dictionaries of them. Convert it in get_config."
        )


# ---- arrays


def check_shape(shape: Any, file: Any, place: str) -> None:
    """Refuses what no array can have, before an array library is asked for it."""
    product = 1
    for size in shape:
        if not 0 <= size < LARGEST_DIMENSION:
            raise refusal(file, f"the shape {quoted(tuple(shape))} has a size outside of [0, 2**31)", place)
        product *= max(size, 1)
    if len(shape) > HIGHEST_RANK or product >= MOST_ELEMENTS:
        raise refusal(file, f"the shape {quoted(tuple(shape))} is too large", place)


def check_config_shapes(value: Any, file: Any, place: str = "config") -> None:
    """Refuses impossible shapes in a config, whose layers would be handed to the compiler."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            for key, inner in part.items():
                if key.endswith("shape") and isinstance(inner, list):
                    sizes = [d for d in inner if d is not None]
                    if all(isinstance(d, int) and not isinstance(d, bool) for d in sizes):
                        if len(inner) > HIGHEST_RANK:
                            raise refusal(
                                file, f"a shape of {len(inner)} sizes is too large", f"{place}, {quoted(key, 40)}"
                            )
                        # -1 stands for "the rest" in Reshape's target_shape
                        check_shape([max(d, 0) if d == -1 else d for d in sizes], file, f"{place}, {quoted(key, 40)}")
                        continue
                stack.append(inner)
        elif isinstance(part, list):
            stack.extend(part)
