"""Program, Node: what is recorded and traced; printed, walked, compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorsmith.core.places import Place
from tensorsmith.program import printing
from tensorsmith.program.op import Op, registry

Spec = tuple[tuple[int | None, ...], np.dtype]


class Node:
    """One call of an operation: the ids of the values it takes and makes, and its settings.

    An id of -1 among the inputs stands for an optional array that was not given.
    `groups` says how many ids each array argument took (None for one that is not a list).
    `where` and `part` say who asked for it when it was traced, for people to read: the user's line, and the layers
    or name scopes around it ("block/dense"). They are no part of what the program computes.
    """

    __slots__ = ("groups", "inputs", "op", "outputs", "part", "settings", "where")

    def __init__(
        self,
        op: Op,
        inputs: tuple[int, ...],
        groups: tuple[int | None, ...],
        settings: dict,
        outputs: tuple[int, ...],
        where: Place | None = None,
        part: str = "",
    ) -> None:
        self.op, self.inputs, self.groups, self.settings, self.outputs = op, inputs, groups, settings, outputs
        self.where, self.part = where, part

    @property
    def programs(self) -> list[Program]:
        """The programs among the settings: the branches of a condition, the body of a loop."""
        return programs_in(self.settings)


def programs_in(settings: dict[str, Any]) -> list[Program]:
    """The programs among settings."""
    found: list[Program] = []
    for setting in settings.values():
        parts = setting if isinstance(setting, tuple) else (setting,)
        found.extend(part for part in parts if isinstance(part, Program))
    return found


class Program:
    """A list of operations on numbered values.

    specs      (shape, NumPy dtype) of each value, by its id; a shape may hold None.
    nodes      the operations, each after those whose results it takes.
    inputs     ids of the arguments, in order.
    constants  {id: array} of values that never change.
    captures   [(object, id)]: values that are asked of an object (a variable) when the program is run.
    outputs    ids of the results.
    updates    [(variable, id)]: values that variables have after a run.
    name       what it is called, and
    names      {id: name} of its arguments: for people to read, no part of what it computes.
    """

    __slots__ = (
        "_signature",
        "captures",
        "constants",
        "inputs",
        "name",
        "names",
        "nodes",
        "outputs",
        "specs",
        "updates",
    )

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.names: dict[int, str] = {}
        self.specs: list[Spec] = []
        self.nodes: list[Node] = []
        self.inputs: list[int] = []
        self.constants: dict[int, Any] = {}
        self.captures: list[tuple[Any, int]] = []
        self.outputs: list[int] = []
        self.updates: list[tuple[Any, int]] = []
        self._signature: Any = None

    def value(self, shape: tuple[int | None, ...], dtype: np.dtype) -> int:
        """A new value of this shape and dtype; its id."""
        self.specs.append((shape, dtype))
        return len(self.specs) - 1

    def input(self, shape: tuple[int | None, ...], dtype: np.dtype, name: str = "") -> int:
        number = self.value(shape, dtype)
        self.inputs.append(number)
        if name:
            self.names[number] = name
        return number

    def constant(self, array: Any) -> int:
        number = self.value(array.shape, array.dtype)
        self.constants[number] = array
        return number

    def capture(self, source: Any, shape: tuple[int | None, ...], dtype: np.dtype) -> int:
        number = self.value(shape, dtype)
        self.captures.append((source, number))
        return number

    def add(
        self,
        op: Op,
        inputs: Iterable[int],
        groups: tuple[int | None, ...],
        settings: dict,
        specs: list[Spec],
        where: Place | None = None,
        part: str = "",
    ) -> tuple[int, ...]:
        """A node that makes values of these specs; their ids."""
        outputs = tuple(self.value(shape, dtype) for shape, dtype in specs)
        self.nodes.append(Node(op, tuple(inputs), groups, settings, outputs, where, part))
        return outputs

    def pure(self, outputs: list[int] | None = None) -> Program:
        """The program without its updates and without what only they need; it gives `outputs` where they are named."""
        kept = Program(self.name)
        kept.specs, kept.names, kept.inputs = list(self.specs), dict(self.names), list(self.inputs)
        kept.nodes, kept.constants, kept.captures = list(self.nodes), dict(self.constants), list(self.captures)
        kept.outputs = list(self.outputs if outputs is None else outputs)
        kept.drop_unused()
        return kept

    def drop_unused(self) -> None:
        """Takes out every node that no output, update or effect needs."""
        needed = set(self.outputs)
        needed.update(number for _, number in self.updates)
        kept = []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs) or not node.outputs:
                needed.update(node.inputs)
                kept.append(node)
        self.nodes = kept[::-1]
        self.captures = [(source, number) for source, number in self.captures if number in needed]
        self.constants = {number: array for number, array in self.constants.items() if number in needed}

    def signature(self) -> Any:
        """A hashable that is equal for two programs that compute the same, whatever objects they read.

        Two models of one architecture have one signature, so they share their compiled form.
        """
        if self._signature is None:
            # ids are numbered anew in order of appearance, so that dropped nodes leave no trace
            numbers: dict[int, int] = {-1: -1}

            def number(old: int) -> int:
                return numbers.setdefault(old, len(numbers))

            head = tuple((number(i), self.specs[i]) for i in self.inputs)
            captured = tuple((number(i), self.specs[i]) for _, i in self.captures)
            constants = tuple((number(i), freeze(array)) for i, array in self.constants.items())
            nodes = tuple(
                (
                    node.op.name if registry.get(node.op.name) is node.op else node.op,
                    tuple(number(i) for i in node.inputs),
                    node.groups,
                    freeze(node.settings),
                    tuple(number(i) for i in node.outputs),
                )
                for node in self.nodes
            )
            ends = tuple(number(i) for i in self.outputs), tuple(number(i) for _, i in self.updates)
            self._signature = _Hashed((head, captured, constants, nodes, ends))
        return self._signature

    # ---- for people

    def __str__(self) -> str:
        """A line a value: its name, the operation, dtype and shape, layer, and the line of the user who asked for it.

        >>> p = Program(); x = p.input((None, 2), np.dtype("float32"), "x")
        >>> print(p)
        x = input  float32[None, 2]
        """
        return printing.text(self)

    def __repr__(self) -> str:
        return f"<Program {self.name} of {len(self.nodes)} operations>".replace("  ", " ")

    def _repr_html_(self) -> str:
        return printing.as_html(self)

    def count(self, batch: int | None = None) -> Any:
        """What a run costs: operations by kind, FLOPs, bytes (`program/counting.py` has the rules).

        batch  stands in the place of every size that is open (1 where it is not given).

        >>> import tensorsmith as tf
        >>> tf.program_of(lambda x: tf.matmul(x, tf.ones([3, 4])), tf.TensorSpec([None, 3])).count(batch=10).flops
        240
        """
        # what few programs are asked for is imported when one is
        from tensorsmith.program import counting

        return counting.count(self, batch)

    def formula(self, what: str = "flops") -> list[int]:
        """The coefficients of a count as a polynomial in the batch size, the constant first.

        Raises ValueError for a count that is no polynomial of degree 3 or less.

        >>> import tensorsmith as tf
        >>> tf.program_of(lambda x: tf.matmul(x, tf.ones([3, 4])), tf.TensorSpec([None, 3])).formula()
        [0, 24]
        """
        from tensorsmith.program import counting

        return counting.formula(self, what)

    def draw(self, filepath: Any = None) -> str:
        """A picture as text; with a path, as SVG in that file (by graphviz where its `dot` is installed).

        >>> import tensorsmith as tf
        >>> print(tf.program_of(lambda x: tf.sqrt(x), tf.TensorSpec([3])).draw())
          x  float32[3]
             │
             ▼
        ┌──────────────┐
        │ %0 = sqrt(x) │
        └──────────────┘  %0: float32[3]
             │
             ▼
          %0
        """
        from tensorsmith.program import drawing

        if filepath is not None:
            with open(filepath, "w", encoding="utf-8") as file:
                file.write(drawing.svg(self))
        return drawing.text(self)


class _Hashed:
    """A nested tuple whose hash is computed once: it stands in dictionaries that are asked at every call."""

    __slots__ = ("hash", "parts")

    def __init__(self, parts: tuple) -> None:
        self.parts, self.hash = parts, hash(parts)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, _Hashed) and self.hash == other.hash and self.parts == other.parts)

    def stable(self) -> bytes | None:
        """A digest that is the same in every process; None where the program holds an object of this process only."""
        digest = hashlib.sha256()
        return digest.digest() if _feed(self.parts, digest) else None


def _feed(part: Any, digest: Any) -> bool:
    if isinstance(part, tuple):
        if getattr(part, "rank", 0) is None:
            digest.update(b"?")
            return True
        digest.update(b"(")
        fine = all(_feed(p, digest) for p in part)
        digest.update(b")")
        return fine
    if isinstance(part, _Hashed):
        return _feed(part.parts, digest)
    if isinstance(part, (str, bytes, int, float, bool, complex, np.dtype)) or part is None or part is Ellipsis:
        digest.update(f"{type(part).__name__}:{part!r};".encode())
        return True
    return False


_LARGE = 256  # bytes above which a constant is known by its digest


def freeze(value: Any) -> Any:
    """A hashable that stands for a setting: equal settings, equal stand-ins."""
    if isinstance(value, dict):
        return tuple((key, freeze(value[key])) for key in sorted(value))
    if isinstance(value, (list, tuple)):
        if getattr(value, "rank", 0) is None:
            return value  # a shape of unknown rank, which is another one than ()
        return tuple(freeze(part) for part in value)
    if isinstance(value, (np.ndarray, np.generic)):
        raw = value.tobytes() if value.dtype != object else repr(value.tolist()).encode()
        return "array", value.dtype.str, value.shape, raw if len(raw) <= _LARGE else hashlib.sha256(raw).digest()
    if isinstance(value, slice):
        return "slice", freeze(value.start), freeze(value.stop), freeze(value.step)
    if isinstance(value, Program):
        return value.signature()
    if isinstance(value, float):
        return "float", repr(value)  # 0.0 and -0.0 are equal, 1 and 1.0 too, but not the same setting
    if isinstance(value, bool):
        return "bool", value
    try:
        hash(value)
    except TypeError:
        return "object", id(value)
    return value
