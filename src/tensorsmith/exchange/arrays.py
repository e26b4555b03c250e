"""Arrays in one file of the safetensors form: a header that says where each is, then their bytes.

The form is public and holds no code. Nothing is allocated that the file's own size does not allow. Strings, which it
has no place for, are kept as bytes with the lengths beside them; complex numbers as pairs of floats.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from tensorsmith.exchange.reading import Place
from tensorsmith.exchange.safety import check_shape, parse_json, refusal

CODES = {
    "BOOL": np.dtype(bool), "U8": np.dtype("uint8"), "I8": np.dtype("int8"), "U16": np.dtype("uint16"),
    "I16": np.dtype("int16"), "U32": np.dtype("uint32"), "I32": np.dtype("int32"), "U64": np.dtype("uint64"),
    "I64": np.dtype("int64"), "F16": np.dtype("float16"), "BF16": np.dtype(ml_dtypes.bfloat16),
    "F32": np.dtype("float32"), "F64": np.dtype("float64"),
}  # fmt: skip
_CODE_OF = {dtype: code for code, dtype in CODES.items()}
LARGEST_HEADER_BYTES = 100_000_000


def dtype_name(dtype: np.dtype) -> str:
    return "string" if dtype == object else dtype.name


DTYPES = {dtype.name: dtype for dtype in CODES.values()}
DTYPES.update(complex64=np.dtype("complex64"), complex128=np.dtype("complex128"), string=np.dtype(object))


class Writer:
    """Collects arrays, each under a name, equal ones once."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._known: dict[Any, str] = {}

    def add(self, array: Any, name: str = "") -> dict[str, Any]:
        """What stands in the JSON for an array: its dtype, shape and name in the file."""
        array = np.asarray(array)
        entry = {"dtype": dtype_name(array.dtype), "shape": list(array.shape)}
        if array.dtype == object:
            texts = [part if isinstance(part, bytes) else str(part).encode() for part in array.ravel().tolist()]
            lengths = np.array([len(text) for text in texts], "int64")
            flat = np.frombuffer(b"".join(texts), "uint8")
            return {**entry, "data": self._store(flat, name), "lengths": self._store(lengths, f"{name}.lengths")}
        if array.dtype.kind == "c":
            array = np.ascontiguousarray(array).view(np.float32 if array.itemsize == 8 else np.float64)
        return {**entry, "data": self._store(array, name)}

    def _store(self, array: np.ndarray, name: str) -> str:
        array = np.asarray(array, order="C")  # which, unlike ascontiguousarray, leaves a scalar without axes
        key = array.dtype.str, array.dtype.name, array.shape, hashlib.sha256(array.tobytes()).digest()
        # variables have a name of their own; constants that are equal are kept once
        if not name and key in self._known:
            return self._known[key]
        base = name or f"constant_{len(self.arrays)}"
        unique, count = base, 0
        while unique in self.arrays:
            count += 1
            unique = f"{base}_{count}"
        self.arrays[unique] = array
        self._known[key] = unique
        return unique

    def write(self, file: BinaryIO) -> str:
        """Writes the file; its digest."""
        header: dict[str, Any] = {}
        at = 0
        for name, array in self.arrays.items():
            header[name] = {
                "dtype": _CODE_OF[array.dtype],
                "shape": list(array.shape),
                "data_offsets": [at, at + array.nbytes],
            }
            at += array.nbytes
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)  # the bytes of the first array stand on an even place then
        digest = hashlib.sha256()
        for part in (struct.pack("<Q", len(text)), text, *(array.tobytes() for array in self.arrays.values())):
            file.write(part)
            digest.update(part)
        return digest.hexdigest()


class Reader:
    """The arrays of a file, checked against its size before any is read."""

    def __init__(self, path: str, digest: str) -> None:
        self.path = path
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            self._data = file.read(size + 1)
        if len(self._data) < 8:
            raise refusal(path, f"{len(self._data)} bytes are no file of arrays")
        if hashlib.sha256(self._data).hexdigest() != digest:
            raise refusal(path, "it is damaged: its digest is not the one that was saved with it")
        length = struct.unpack("<Q", self._data[:8])[0]
        if length > min(LARGEST_HEADER_BYTES, len(self._data) - 8):
            raise refusal(path, f"a header of {length} bytes is longer than the file")
        self._start = 8 + length
        self._header = Place(parse_json(self._data[8 : self._start], path, "the header"), path, "the header").items()
        self.used: set[str] = set()

    def get(self, entry: Place) -> np.ndarray:
        """The array that an entry of the JSON stands for."""
        dtype_, shape_, data, lengths = entry.fields("dtype", "shape", "data", optional=("lengths",))
        dtype = DTYPES.get(dtype_.text())
        if dtype is None:
            raise dtype_.refuse(f"{dtype_.value!r} is no dtype")
        shape = tuple(part.number(2**31) for part in shape_.parts())
        check_shape(shape, entry.file, entry.path)
        flat = self._stored(data)
        if dtype == object:
            if lengths is None:
                raise entry.refuse("strings have no lengths")
            sizes = self._stored(lengths)
            if flat.dtype != np.uint8 or sizes.dtype != np.int64 or sizes.ndim != 1 or (sizes < 0).any():
                raise entry.refuse("the bytes of strings, or their lengths, are of another dtype")
            ends = np.cumsum(sizes).tolist()
            if (ends[-1] if ends else 0) != flat.size or any(end > flat.size for end in ends):
                raise entry.refuse("the lengths of strings do not add up to their bytes")
            raw = flat.tobytes()
            flat = np.empty(len(ends), object)
            flat[:] = [raw[end - size : end] for end, size in zip(ends, sizes.tolist())]
        elif dtype.kind == "c":
            if flat.dtype.kind != "f" or flat.dtype.itemsize * 2 != dtype.itemsize or flat.size % 2:
                raise entry.refuse(f"the data is {flat.dtype.name} and not pairs for {dtype.name}")
            flat = flat.reshape(-1).view(dtype)
        elif flat.dtype != dtype:
            raise entry.refuse(f"the data is {flat.dtype.name} and not {dtype.name}")
        if flat.size != int(np.prod(shape, dtype=np.int64)):
            raise entry.refuse(f"{flat.size} elements are not those of shape {shape}")
        result = flat.reshape(shape)
        result.flags.writeable = False
        return result

    def _stored(self, name: Place) -> np.ndarray:
        found = self._header.get(name.text())
        if found is None:
            raise name.refuse(f"there is no array {name.value!r} in {os.path.basename(self.path)}")
        self.used.add(name.value)
        code, shape_, offsets = found.fields("dtype", "shape", "data_offsets")
        dtype = CODES.get(code.text())
        if dtype is None:
            raise code.refuse(f"{code.value!r} is no dtype")
        shape = tuple(part.number(2**31) for part in shape_.parts())
        check_shape(shape, found.file, found.path)
        body = len(self._data) - self._start
        start, end = (part.number(body + 1) for part in offsets.parts(2))
        if end - start != int(np.prod(shape, dtype=np.int64)) * dtype.itemsize:
            raise found.refuse(f"{end - start} bytes are not those of {dtype.name}{list(shape)}")
        part = self._data[self._start + start : self._start + end]
        # aligned to 64 bytes, so that XLA takes it without a copy
        return aligned(np.frombuffer(part, dtype).reshape(shape))


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy whose memory starts at a multiple of 64 bytes."""
    room = np.empty(array.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
