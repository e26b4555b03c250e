"""Settings and nested arguments as JSON: plain values as they are, all others under the tag of a closed list."""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.places import Place as Line
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec
from tensorsmith.exchange.arrays import DTYPES, Reader, Writer, dtype_name
from tensorsmith.exchange.reading import Place
from tensorsmith.exchange.safety import check_shape, quoted
from tensorsmith.ops.indexing import HOLE
from tensorsmith.program.program import Program
from tensorsmith.structures.specs import RaggedTensorSpec, SparseTensorSpec

DEEPEST = 60


class Unsaveable(TypeError):
    """Something that cannot be kept as data; says what, for whoever knows where it stands."""


class Encoder:
    """Values -> JSON. `program` writes a sub-program, `arrays` takes the arrays."""

    def __init__(self, arrays: Writer, program: Callable[[Program], Any]) -> None:
        self.arrays, self.program = arrays, program

    def encode(self, value: Any, depth: int = 0) -> Any:
        """What stands for a value. Raises Unsaveable for one that is no data: a function, an object."""
        if depth > DEEPEST:
            raise Unsaveable("a value nested too deeply")
        if value is None or type(value) in (bool, str):
            return value
        if type(value) is int:
            return value if abs(value) < 2**63 else {"int": str(value)}
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if type(value) is list:
            return [self.encode(part, depth + 1) for part in value]
        return self._tagged(value, depth)

    def _tagged(self, value: Any, depth: int) -> Any:
        def many(parts: Any) -> list[Any]:
            return [self.encode(part, depth + 1) for part in parts]

        if isinstance(value, Line):
            # the name of the file and not its path: where somebody's home is does not belong in a model
            return {"tuple": many([os.path.basename(value.file), value.line, value.function])}
        if isinstance(value, tuple):
            fields = getattr(value, "_fields", None)
            if fields is not None:
                return {"record": [type(value).__name__, list(fields), many(value)]}
            return {"tuple": many(value)}
        if isinstance(value, list):
            return many(value)
        if isinstance(value, dict):
            return {"dict": [many(item) for item in value.items()]}
        if isinstance(value, TensorSpec):
            return {"spec": [value.dtype.name, sizes_of(value.shape), value.name]}
        if isinstance(value, RaggedTensorSpec):
            rank, splits = value.ragged_rank, value.row_splits_dtype.name
            return {"ragged_spec": [value.dtype.name, sizes_of(value.shape), rank, splits]}
        if isinstance(value, SparseTensorSpec):
            return {"sparse_spec": [value.dtype.name, sizes_of(value.shape)]}
        if isinstance(value, Program):
            return {"program": self.program(value)}
        if isinstance(value, np.ndarray):
            return {"array": self.arrays.add(value)}
        if isinstance(value, np.generic):
            return {"scalar": self.arrays.add(np.asarray(value))}
        if isinstance(value, bytes):
            return {"bytes": base64.b64encode(value).decode()}
        if isinstance(value, complex):
            return {"complex": many([value.real, value.imag])}
        if isinstance(value, np.dtype):
            return {"dtype": dtype_name(value)}
        if isinstance(value, type) and issubclass(value, np.generic):
            return {"type": dtype_name(np.dtype(value))}
        if isinstance(value, DType):
            return {"tensor_dtype": value.name}
        if isinstance(value, slice):
            return {"slice": many([value.start, value.stop, value.step])}
        if value is Ellipsis:
            return {"mark": "ellipsis"}
        if value is HOLE:
            return {"mark": "hole"}
        raise Unsaveable(quoted(value, 80))


class Decoder:
    """JSON -> values. Every tag that is not of the list is refused."""

    def __init__(self, arrays: Reader, program: Callable[[Place], Program]) -> None:
        self.arrays, self.program = arrays, program
        self._tags: dict[str, Callable[[Place, int], Any]] = {
            "tuple": lambda p, d: tuple(self._many(p, d)),
            "dict": self._dict,
            "record": self._record,
            "spec": lambda p, d: spec_of(p),
            "ragged_spec": lambda p, d: _ragged_spec(p),
            "sparse_spec": lambda p, d: _sparse_spec(p),
            "program": lambda p, d: self.program(p),
            "array": lambda p, d: self.arrays.get(p),
            "scalar": self._scalar,
            "bytes": self._bytes,
            "complex": self._complex,
            "dtype": lambda p, d: dtype_of(p),
            "type": lambda p, d: dtype_of(p).type,
            "tensor_dtype": lambda p, d: as_dtype(dtype_of(p)),
            "slice": lambda p, d: slice(*[self.decode(part, d) for part in p.parts(3)]),
            "mark": self._mark,
            "float": self._float,
            "int": self._int,
        }

    def decode(self, place: Place, depth: int = 0) -> Any:
        value = place.value
        if value is None or type(value) in (bool, int, float, str):
            return value
        if depth > DEEPEST:
            raise place.refuse("it is nested too deeply")
        if type(value) is list:
            return self._many(place, depth)
        items = place.items()
        if len(items) != 1:
            raise place.refuse("a value has one tag")
        tag, part = next(iter(items.items()))
        if tag not in self._tags:
            raise place.refuse(f"{quoted(tag, 40)!r} is no kind of value")
        return self._tags[tag](part, depth + 1)

    def _many(self, place: Place, depth: int) -> list[Any]:
        return [self.decode(part, depth + 1) for part in place.parts()]

    def _dict(self, place: Place, depth: int) -> dict:
        found = {}
        for pair in place.parts():
            key, value = pair.parts(2)
            name = self.decode(key, depth)
            if type(name) not in (str, int, bytes, bool, float, tuple):
                raise key.refuse("it is no key")
            try:
                found[name] = self.decode(value, depth)
            except TypeError as error:
                raise key.refuse("it is no key") from error
        return found

    def _record(self, place: Place, depth: int) -> Any:
        name, fields, values = place.parts(3)
        return record(name.text(), [field.text() for field in fields.parts()], self._many(values, depth), place)

    def _scalar(self, place: Place, depth: int) -> Any:
        array = self.arrays.get(place)
        if array.ndim:
            raise place.refuse("a scalar has no axes")
        return array[()]

    def _bytes(self, place: Place, depth: int) -> bytes:
        try:
            return base64.b64decode(place.text(), validate=True)
        except ValueError as error:
            raise place.refuse("these are no bytes in base 64") from error

    def _complex(self, place: Place, depth: int) -> complex:
        parts = [self.decode(part, depth) for part in place.parts(2)]
        if not all(type(part) in (int, float) for part in parts):
            raise place.refuse("a complex number is two numbers")
        return complex(*parts)

    def _mark(self, place: Place, depth: int) -> Any:
        marks = {"ellipsis": Ellipsis, "hole": HOLE}
        if place.text() not in marks:
            raise place.refuse(f"{quoted(place.value, 40)!r} is no mark")
        return marks[place.value]

    def _float(self, place: Place, depth: int) -> float:
        if place.text() not in ("nan", "inf", "-inf"):
            raise place.refuse(f"{quoted(place.value, 40)!r} is no number")
        return float(place.value)

    def _int(self, place: Place, depth: int) -> int:
        digits = place.text()
        if len(digits) > 40 or not digits.removeprefix("-").isdecimal():
            raise place.refuse(f"{quoted(digits, 40)!r} is no whole number")
        return int(digits)


def dtype_of(place: Place) -> np.dtype:
    found = DTYPES.get(place.text())
    if found is None:
        raise place.refuse(f"{quoted(place.value, 40)!r} is no dtype")
    return found


def shape_of(place: Place) -> tuple[int | None, ...]:
    """A shape whose sizes may be None, within the bounds of what an array can have."""
    shape = tuple(None if part.value is None else part.number(2**31) for part in place.parts())
    check_shape([size or 0 for size in shape], place.file, place.path)
    return shape


def spec_of(place: Place) -> TensorSpec:
    dtype, shape, name = place.parts(3)
    return TensorSpec(_shape(shape), as_dtype(dtype_of(dtype)), None if name.value is None else name.text())


def sizes_of(shape: Any) -> list[int | None] | None:
    """The sizes of a shape; None for one of unknown rank."""
    return None if getattr(shape, "rank", 0) is None else list(shape)


def _shape(place: Place) -> TensorShape:
    return TensorShape(None if place.value is None else shape_of(place))


def _ragged_spec(place: Place) -> RaggedTensorSpec:
    dtype, shape, rank, splits = place.parts(4)
    ragged_rank = rank.number(33)
    try:
        return RaggedTensorSpec(_shape(shape), as_dtype(dtype_of(dtype)), ragged_rank, as_dtype(dtype_of(splits)))
    except ValueError as error:
        raise place.refuse(f"it tells no ragged tensor: {error}") from None


def _sparse_spec(place: Place) -> SparseTensorSpec:
    dtype, shape = place.parts(2)
    return SparseTensorSpec(_shape(shape), as_dtype(dtype_of(dtype)))


def record(name: str, fields: list[str], values: list[Any], place: Place) -> Any:
    """A tuple with names for its parts. `collections.namedtuple` would compile source text, with names out of a file."""
    if not name.isidentifier() or not all(f.isidentifier() and not f.startswith("_") for f in fields):
        raise place.refuse("a name in it is none")
    if len(set(fields)) != len(fields) or len(fields) != len(values):
        raise place.refuse("its names and parts do not fit")
    body: dict[str, Any] = {field: property(itemgetter(at)) for at, field in enumerate(fields)}
    body.update(
        __slots__=(),
        _fields=tuple(fields),
        __new__=lambda cls, *parts: tuple.__new__(cls, parts),
        _make=classmethod(lambda cls, parts: cls(*parts)),
        _asdict=lambda self: dict(zip(self._fields, self)),
        __repr__=lambda self: f"{name}({', '.join(f'{k}={v!r}' for k, v in zip(fields, self))})",
    )
    return type(name, (tuple,), body)(*values)
