"""An HDF5 file as plain data, groups of attributes and NumPy arrays: read with suspicion, written the same each time.

Nothing above this file touches h5py. Reading takes the whole file into memory, because every stored array is used:
then it is closed, and what follows works on plain data that cannot fail half way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from tensorsmith.core.errors import ModelFileError
from tensorsmith.exchange import safety
from tensorsmith.exchange.safety import quoted, refusal
from tensorsmith.keras.saving import structure

# an HDF5 object header holds at most this much of one attribute; longer lists are split over name0, name1, ...
LARGEST_ATTRIBUTE_BYTES = 64512
# the root attribute of files we write: the SHA-256 of all else in the file
DIGEST = "tensorsmith_sha256"

_DEEPEST = 200
_MOST_OBJECTS = 10**6
_KNOWN_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
_EXPANSION = 16


@dataclass
class Group:
    """A group of an HDF5 file. Attributes are strings, numbers, lists of strings, or arrays."""

    attributes: dict[str, Any] = field(default_factory=dict)
    children: dict[str, Group | np.ndarray] = field(default_factory=dict)

    def group(self, name: str) -> Group:
        """The group below this one under a name or a path, made where there is none."""
        here = self
        for part in name.split("/"):
            child = here.children.setdefault(part, Group())
            if not isinstance(child, Group):
                raise ValueError(f"{part!r} in {name!r} is an array already.")
            here = child
        return here

    def put(self, path: str, value: np.ndarray) -> None:
        """Stores an array under a path."""
        *folders, last = path.split("/")
        here = self.group("/".join(folders)) if folders else self
        if last in here.children:
            raise ValueError(f"Two arrays would be stored as {path!r}.")
        here.children[last] = value

    def at(self, path: str) -> Group | np.ndarray | None:
        """What stands under a path, one component at a time; None when nothing."""
        here: Any = self
        for part in path.split("/"):
            if not isinstance(here, Group) or part not in here.children:
                return None
            here = here.children[part]
        return here

    def arrays(self, prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
        """Every array below, with its path."""
        for name, child in self.children.items():
            path = f"{prefix}{name}"
            if isinstance(child, Group):
                yield from child.arrays(path + "/")
            else:
                yield path, child

    def strings(self, name: str) -> list[str] | None:
        """A list-of-strings attribute, put together where it was split; None when absent."""
        if name in self.attributes:
            value = self.attributes[name]
            return value if isinstance(value, list) else [] if np.size(value) == 0 else None
        parts: list[str] = []
        number = 0
        while isinstance(self.attributes.get(f"{name}{number}"), list):
            parts += self.attributes[f"{name}{number}"]
            number += 1
        return parts if number else None

    def set_strings(self, name: str, values: list[str]) -> None:
        """Sets a list-of-strings attribute, split where one attribute cannot hold it."""
        widest = max((len(v.encode()) for v in values), default=1) or 1
        if widest > LARGEST_ATTRIBUTE_BYTES:
            raise ValueError(
                f"The name {values[0][:60]!r}... has {widest} bytes; HDF5 holds {LARGEST_ATTRIBUTE_BYTES}."
            )
        # readers of both Keras generations split by the size that strings of one fixed length would have;
        # stored strings of their own length each take 16 bytes here
        most = LARGEST_ATTRIBUTE_BYTES // max(widest, 16)
        if len(values) <= most:
            self.attributes[name] = list(values)
            return
        for number, start in enumerate(range(0, len(values), most)):
            self.attributes[f"{name}{number}"] = list(values[start : start + most])


# ---- reading


def read(source: str | bytes, file: Any, size_bytes: int) -> Group:
    """The content of an HDF5 file, given as a path or as bytes.

    Refuses links, external and virtual storage, references, everything but simple numeric arrays, and arrays larger
    than what the file holds; compares the digest where there is one.
    """
    if isinstance(source, bytes):
        structure.check(source, file)
    else:
        structure.check_file(source, file)
    try:
        if isinstance(source, bytes):
            identifier = h5py.h5f.open_file_image(source, flags=h5py.h5f.FILE_IMAGE_OPEN_RW)
            opened = h5py.File(identifier)
        else:
            opened = h5py.File(source, "r", locking=False)
        with opened:
            tree = _Reader(file, size_bytes).group(opened["/"].id, "/", 0)
    except ModelFileError:
        raise
    except RecursionError as error:
        raise refusal(file, "its groups are nested too deeply") from error
    except Exception as error:  # h5py raises whatever its C library meets: OSError, KeyError, RuntimeError, ...
        raise refusal(
            file, f"its HDF5 structure is damaged ({quoted(str(error))})", way_out="Was it copied or downloaded whole?"
        ) from error
    stored = tree.attributes.pop(DIGEST, None)
    if stored is not None and stored != digest(tree):
        raise refusal(
            file, "its content does not agree with the checksum stored in it", way_out="The file was damaged."
        )
    return tree


class _Reader:
    def __init__(self, file: Any, size_bytes: int) -> None:
        self.file = file
        self.size_bytes = size_bytes
        self.stored_bytes = 0
        self.taken_bytes = 0
        self.seen: set[tuple[int, int]] = set()

    def group(self, identifier: Any, path: str, depth: int) -> Group:
        if depth > _DEEPEST:
            raise refusal(self.file, f"its groups are nested deeper than {_DEEPEST} levels")
        result = Group(self.attributes(identifier, path))
        names: list[bytes] = []
        identifier.links.iterate(names.append)
        for raw in names:
            try:
                name = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise refusal(self.file, f"the name {quoted(raw)} is no UTF-8", quoted(path)) from error
            where = f"{path}{name}"
            if name in ("", ".", "..") or "/" in name:
                raise refusal(self.file, f"{quoted(name)!r} is no name", quoted(path))
            # the kind of link is looked at before the object behind it is opened
            if identifier.links.get_info(raw).type != h5py.h5l.TYPE_HARD:  # pyright: ignore[reportAttributeAccessIssue]
                raise refusal(self.file, "it is a link to somewhere else, which is never followed", quoted(where))
            info = h5py.h5o.get_info(identifier, raw)  # pyright: ignore[reportAttributeAccessIssue]
            key = (info.fileno, info.addr) if hasattr(info, "addr") else (info.fileno, hash(info.token))
            if key in self.seen:
                raise refusal(self.file, "the same object stands under two names", quoted(where))
            self.seen.add(key)
            if len(self.seen) > _MOST_OBJECTS:
                raise refusal(self.file, f"it holds more than {_MOST_OBJECTS} objects")
            if info.type == h5py.h5o.TYPE_GROUP:  # pyright: ignore[reportAttributeAccessIssue]
                result.children[name] = self.group(h5py.h5g.open(identifier, raw), where + "/", depth + 1)
            elif info.type == h5py.h5o.TYPE_DATASET:  # pyright: ignore[reportAttributeAccessIssue]
                result.children[name] = self.array(h5py.h5d.open(identifier, raw), where)
            else:
                raise refusal(self.file, "it is neither a group nor an array", quoted(where))
        return result

    def take(self, size_bytes: int, where: str) -> None:
        self.taken_bytes += size_bytes
        if self.taken_bytes > 4 * self.size_bytes + safety.SPARE_BYTES:
            raise refusal(self.file, "what is to be read is far larger than the file", quoted(where))

    def array(self, identifier: Any, where: str) -> np.ndarray:
        place = quoted(where)
        if identifier.get_space().get_simple_extent_type() != h5py.h5s.SIMPLE and identifier.shape != ():
            raise refusal(self.file, "it has no simple shape", place)
        kind = identifier.get_type()
        attributes = self.attributes(identifier, where)
        dtype = self.dtype(kind, attributes, place)
        shape = tuple(identifier.shape)
        safety.check_shape(shape, self.file, place)
        size_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
        plan = identifier.get_create_plist()
        if plan.get_external_count():
            raise refusal(self.file, "its data stand in another file, which is never opened", place)
        layout = plan.get_layout()
        stored_bytes = identifier.get_storage_size()
        self.stored_bytes += stored_bytes
        if self.stored_bytes > self.size_bytes:
            raise refusal(self.file, "its arrays together are larger than the file", place)
        if layout in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT):
            if stored_bytes != size_bytes:
                raise refusal(
                    self.file, f"its shape {shape} needs {size_bytes} bytes, {stored_bytes} are stored", place
                )
        elif layout == h5py.h5d.CHUNKED:
            allowed = _EXPANSION * stored_bytes + 2**16
            chunk_bytes = int(np.prod(plan.get_chunk(), dtype=object)) * dtype.itemsize
            if size_bytes > allowed or chunk_bytes > allowed:
                raise refusal(
                    self.file, f"{stored_bytes} stored bytes would become {max(size_bytes, chunk_bytes)}", place
                )
            for number in range(plan.get_nfilters()):
                if plan.get_filter(number)[0] not in _KNOWN_FILTERS:
                    raise refusal(self.file, f"it is packed by an unknown filter ({plan.get_filter(number)[0]})", place)
        else:
            raise refusal(self.file, "its data are virtual: they stand elsewhere", place)
        self.take(size_bytes, where)
        value = np.asarray(h5py.Dataset(identifier)[()])
        if value.dtype != dtype:
            # opaque 16-bit data that an attribute declares to be bfloat16, or bytes in the other order
            value = value.view(dtype) if value.dtype.kind == "V" else value.astype(dtype)
        return value.reshape(shape)

    def dtype(self, kind: Any, attributes: dict[str, Any], place: str) -> np.dtype:
        name = kind.get_class()
        if (
            attributes.get("dtype") == "bfloat16"
            and kind.get_size() == 2
            and name in (h5py.h5t.OPAQUE, h5py.h5t.INTEGER)
        ):
            import ml_dtypes

            return np.dtype(ml_dtypes.bfloat16)
        plain = name in (h5py.h5t.INTEGER, h5py.h5t.FLOAT) and kind.get_size() in (1, 2, 4, 8)
        if plain and not kind.committed():
            return np.dtype(kind.dtype).newbyteorder("=")
        if name == h5py.h5t.ENUM and kind.dtype == np.dtype(bool):
            return np.dtype(bool)
        raise refusal(self.file, "it holds no plain numbers", place)

    def attributes(self, identifier: Any, where: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number in range(h5py.h5a.get_num_attrs(identifier)):
            attribute = h5py.h5a.open(identifier, index=number)
            name = attribute.name.decode("utf-8") if isinstance(attribute.name, bytes) else attribute.name
            place = f"{quoted(where)}, attribute {quoted(name, 60)!r}"
            kind, space = attribute.get_type(), attribute.get_space()
            shape = tuple(attribute.shape)
            if len(shape) > 1 or space.get_simple_extent_type() == h5py.h5s.NULL:
                raise refusal(self.file, "it is neither one value nor a list", place)
            count = shape[0] if shape else 1
            if kind.get_class() not in (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM):
                raise refusal(self.file, "it is neither a string nor a number", place)
            self.take(count * max(kind.get_size(), 16), place)
            if count * kind.get_size() > self.size_bytes:
                raise refusal(self.file, "it is larger than the file", place)
            # HDF5 and h5py need an object with the attribute's owner for their string conversions
            owner = h5py.Group(identifier) if isinstance(identifier, h5py.h5g.GroupID) else h5py.Dataset(identifier)
            found[name] = self.plain(owner.attrs[name], place)
        return found

    def plain(self, value: Any, place: str) -> Any:
        """An attribute as a string, a list of strings, or an array."""
        try:
            if isinstance(value, (str, bytes)):
                return _text(value)
            if isinstance(value, np.ndarray) and value.dtype.kind in "OSU":
                return [_text(v) for v in value.ravel()]
        except (UnicodeDecodeError, TypeError) as error:
            raise refusal(self.file, "it is no UTF-8 text", place) from error
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiub":
            return np.asarray(value)
        raise refusal(self.file, "it is neither a string nor a number", place)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    # h5py reads bytes that are no UTF-8 as surrogates: they could not be written or printed again
    value.encode("utf-8")
    return value


# ---- writing


def write(tree: Group) -> bytes:
    """The bytes of an HDF5 file with this content and its digest; equal content gives equal bytes."""
    with h5py.File("memory", "w", driver="core", backing_store=False, libver="earliest") as file:
        _fill(file, tree)
        file.attrs[DIGEST] = digest(tree)
        file.flush()
        return file.id.get_file_image()


def _fill(target: Any, group: Group) -> None:
    for name, value in group.attributes.items():
        # an empty list has no element that could tell its type: Keras stores floats then
        target.attrs[name] = np.zeros(0) if isinstance(value, list) and not value else value
    for name, child in group.children.items():
        if isinstance(child, Group):
            _fill(target.create_group(name), child)
        else:
            dataset = target.create_dataset(name, data=child)
            if child.dtype.name == "bfloat16":
                dataset.attrs["dtype"] = "bfloat16"


def digest(tree: Group) -> str:
    """The SHA-256 of names, attributes and arrays, in alphabetic order."""
    total = hashlib.sha256()

    def word(text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        total.update(len(data).to_bytes(8, "little") + data)

    def walk(group: Group) -> None:
        for name in sorted(group.attributes):
            value = group.attributes[name]
            word("@" + name)
            # an empty list of strings reads back as an empty array
            word(repr([] if np.size(value) == 0 else value.tolist() if isinstance(value, np.ndarray) else value))
        for name in sorted(group.children):
            child = group.children[name]
            word("/" + name)
            if isinstance(child, Group):
                walk(child)
            else:
                word(f"{child.dtype.name} {child.shape}")
                total.update(np.ascontiguousarray(child).view(np.uint8).data if child.size else b"")
        word("")

    walk(tree)
    return total.hexdigest()
