"""What a Python list becomes that a loop of a program changes: one dense array, or a list of any length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tensorsmith.core import context, nest, ports
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function import list_rows
from tensorsmith.function.composites import is_composite
from tensorsmith.function.rounds import Rounds
from tensorsmith.tensor.apply import apply, functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

Spec = tuple[tuple[int | None, ...], Any]


class Elements:
    """What all elements of a list have in common: how they nest, and the shape and dtype of each tensor in them.

    name    what the list is called in messages.
    form    an element, for its structure alone.
    """

    __slots__ = ("form", "name", "specs")

    def __init__(self, name: str, form: Any, specs: list[Spec]) -> None:
        self.name, self.form, self.specs = name, form, specs

    def told(self) -> Any:
        """What two lists must agree on to be one variable of a loop."""
        return (repr(nest.map_structure(lambda _: 0, self.form)), [(s, str(d)) for s, d in self.specs])

    def settings(self) -> dict[str, Any]:
        return {"forms": tuple([(shape, dtype.str) for shape, dtype in self.specs])}

    def described(self) -> str:
        specs = [describe(TensorSpec(shape, dtype)) for shape, dtype in self.specs]
        return specs[0] if len(specs) == 1 else f"({', '.join(specs)})"

    def merged(self, other: Elements) -> Elements:
        """What both have in common; TypeError, naming the list, where they differ."""
        shapes = [_both(a, b) if d == e else None for (a, d), (b, e) in zip(self.specs, other.specs)]
        if len(self.specs) != len(other.specs) or None in shapes:
            raise _unlike(self.name, self.described(), other.described())
        return Elements(self.name, self.form, [(s, d) for s, (_, d) in zip(shapes, self.specs)])  # type: ignore[misc]

    def packed(self, parts: list[Any]) -> Any:
        return nest.pack_sequence_as(self.form, list(parts)) if nest.is_nested(self.form) else parts[0]


def taken(name: str, value: Any, elements: Elements | None) -> tuple[list[Tensor], Elements]:
    """The tensors of a new element, and what all elements have in common then; TypeError or ValueError, naming the list."""
    leaves = nest.flatten(value)
    if any(is_composite(leaf) or leaf is None for leaf in leaves):
        raise TypeError(
            explain(
                name,
                "a loop that runs as part of a program puts something into it that is no tensor",
                {"element": describe(value)},
                "only tensors are elements of such a list",
            )
        )
    if elements is None:
        parts = [convert(leaf) for leaf in leaves]
        return parts, Elements(name, value, [(tuple(part.shape), part.dtype.numpy_dtype) for part in parts])
    if nest.is_nested(value) != nest.is_nested(elements.form) or len(leaves) != len(elements.specs):
        raise _unlike(name, describe(elements.form), describe(value))
    try:
        parts = [convert(leaf, None, dtype) for leaf, (_, dtype) in zip(leaves, elements.specs)]
    except (TypeError, ValueError):  # a number that is no value of the dtype
        raise _unlike(name, elements.described(), describe(value)) from None
    given = [(tuple(part.shape), part.dtype.numpy_dtype) for part in parts]
    return parts, elements.merged(Elements(name, value, given))


def _unlike(name: str, before: str, after: str) -> TypeError:
    return TypeError(
        explain(
            name,
            "its elements differ in dtype or shape",
            {"elements": before, "new element": after},
            "a list that a loop changes, as part of a program, has elements of one dtype and shape",
            "Use tf.cast or tf.pad, or one list for each kind.",
        )
    )


def _both(a: tuple, b: tuple) -> tuple | None:
    """The shape that two have in common; None where there is none."""
    if len(a) != len(b) or any(x is not None and y is not None and x != y for x, y in zip(a, b)):
        return None
    return tuple([x if x == y else None for x, y in zip(a, b)])


class TensorList:
    """A list that a loop of the program being traced has changed, or changes: it reads and writes as a Python list does.

    Its elements are tensors of one dtype and shape, or nested tensors that are alike. `tf.stack(values)`,
    `tf.concat(values, 0)`, `values[i]`, `len(values)`, a for statement and whatever takes a tensor work on it. Where its
    length hangs on values it is a list of arrays, and the function runs on NumPy; else one dense tensor.
    """

    # an operation that takes a list of tensors takes it as it stands
    _listed = True
    # one of the two: a tensor [n, ...] for each tensor of an element, or a list of any length
    _columns: list[Tensor] | None
    _flow: Tensor | None

    def __init__(
        self,
        name: str,
        elements: Elements | None,
        columns: list[Tensor] | None = None,
        flow: Tensor | None = None,
        refuse: Callable[[], Any] | None = None,
    ) -> None:
        # refuse: raises for what changes the length, where a loop carries the list as dense tensors
        self._name, self._elements, self._columns, self._flow, self._refuse = name, elements, columns, flow, refuse

    @classmethod
    def of(cls, values: Any, name: str, like: Elements | None = None) -> TensorList:
        """The list of some Python values; `like` gives their numbers a dtype."""
        if isinstance(values, TensorList):
            return cls(name, values._elements, values._columns, values._flow)
        tensors = next((v for v in values if any(isinstance(leaf, Tensor) for leaf in nest.flatten(v))), None)
        elements = taken(name, tensors, None)[1] if tensors is not None else like
        rows = []
        for value in values:
            parts, elements = taken(name, value, elements)
            rows.append(parts)
        if not rows:
            return cls(name, None, None, list_rows.empty())
        return cls(name, elements, [functions["stack"](list(column)) for column in zip(*rows)])

    def free(self) -> TensorList:
        """The same as a list of any length, which branches and loops may change."""
        if self._flow is not None:
            return TensorList(self._name, self._elements, None, self._flow)
        flow = list_rows.list_extend(list_rows.empty(), self.columns())
        return TensorList(self._name, self._elements, None, flow)

    def copy(self) -> TensorList:
        return TensorList(self._name, self._elements, self._columns, self._flow, self._refuse)

    __copy__ = copy

    # ---- changing it

    def append(self, value: Any) -> None:
        parts, self._elements = taken(self._name, value, self._elements)
        self._longer()
        if self._flow is not None:
            self._flow = list_rows.list_append(self._flow, parts)
        else:
            self._join([functions["expand_dims"](part, 0) for part in parts])

    def extend(self, values: Any) -> None:
        self._longer()
        if isinstance(values, (list, tuple)):
            for value in values:
                self.append(value)
            return
        more = values if isinstance(values, TensorList) else None
        columns = [convert(values)] if more is None else more.columns()
        form = None if more is None else more._elements
        for column in columns:
            if column.shape.rank == 0:
                raise TypeError(f"{self._name}: a scalar tensor cannot be added to a list; did you mean append?")
        if form is None:
            form = Elements(self._name, None, [(tuple(c.shape)[1:], c.dtype.numpy_dtype) for c in columns])
        self.extend_columns(columns, form)

    def extend_columns(self, columns: list[Tensor], elements: Elements) -> None:
        """n elements more, the rows of tensors [n, ...]."""
        self._elements = elements if self._elements is None else self._elements.merged(elements)
        self._longer()
        if self._flow is not None:
            self._flow = list_rows.list_extend(self._flow, columns)
        else:
            self._join(columns)

    def _join(self, columns: list[Tensor]) -> None:
        assert self._columns is not None
        self._columns = [functions["concat"]([old, new], 0) for old, new in zip(self._columns, columns)]

    def pop(self, index: Any = -1) -> Any:
        value = self[index]
        self._longer()
        if self._flow is None and not isinstance(convert(index), Symbol) and int(index) == -1:
            self._columns = [column[:-1] for column in self.columns()]
        else:
            self._flow, self._columns = list_rows.list_without(self.free()._flow, convert(index)), None
        return value

    def clear(self) -> None:
        self._longer()
        self._flow, self._columns = list_rows.empty(), None

    def _longer(self) -> None:
        if self._refuse is not None:
            self._refuse()

    def __setitem__(self, index: Any, value: Any) -> None:
        parts, self._elements = taken(self._name, value, self._elements)
        if self._flow is not None:
            self._flow = list_rows.list_write(self._flow, convert(index), parts)
            return
        place = convert(index)
        assert self._columns is not None
        if not isinstance(place, Symbol) or place.shape.rank == 0:
            place = functions["where"](place < 0, place + self._count(), place)
        self._columns = [
            functions["tensor_scatter_nd_update"](column, [[place]], functions["expand_dims"](part, 0))
            for column, part in zip(self._columns, parts)
        ]

    def __iadd__(self, values: Any) -> TensorList:
        self.extend(values)
        return self

    # ---- reading it

    def columns(self) -> list[Tensor]:
        """A tensor [n, ...] for each tensor of an element."""
        if self._columns is not None:
            return self._columns
        return _several(list_rows.list_stack, self._flow, self._known())

    def _known(self) -> Elements:
        if self._elements is None:
            raise ValueError(
                explain(
                    self._name,
                    "it is read before it has an element, so that what its elements are is not known",
                    "",
                    "a list that a loop changes, as part of a program, has elements of one dtype and shape",
                    "Begin with an element.",
                )
            )
        return self._elements

    def _count(self) -> Any:
        if self._columns is None:
            return list_rows.list_size(self._flow)
        size = self._columns[0].shape[0]
        return functions["shape"](self._columns[0])[0] if size is None else size

    def _length(self) -> Any:
        return self._count()

    def __len__(self) -> int:
        count = self._count()
        if isinstance(count, Symbol):
            raise TypeError(
                explain(
                    self._name,
                    "how many elements it has is known only when the program runs",
                    "",
                    "",
                    "Use tf.shape(tf.stack(values))[0], or len() in a function that AutoGraph rewrites.",
                )
            )
        return int(count)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return TensorList(self._name, self._known(), [column[index] for column in self.columns()])
        known = self._known()
        if self._flow is not None:
            return known.packed(_several(list_rows.list_read, self._flow, known, convert(index)))
        if isinstance(index, int) and self.columns()[0].shape[0] is not None and not -len(self) <= index < len(self):
            raise IndexError(f"{self._name}: element {index} of a list of {len(self)}.")
        return known.packed([column[index] for column in self.columns()])

    def _rounds(self) -> Rounds:
        known, columns = self._known(), self.columns()
        return Rounds(
            functions["shape"](columns[0])[0] if columns[0].shape[0] is None else columns[0].shape[0],
            lambda number: known.packed([functions["gather"](column, number) for column in columns]),
        )

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rounds())

    def __add__(self, values: Any) -> TensorList:
        whole = TensorList(self._name, self._elements, self._columns, self._flow)
        whole.extend(values)
        return whole

    def stack(self) -> Tensor:
        """All elements as one tensor [n, ...]."""
        columns = self.columns()
        if len(columns) > 1 or nest.is_nested(self._known().form):
            return convert(functions["stack"](columns, axis=1))
        return columns[0]

    def concat(self, axis: int = 0) -> Tensor:
        """The elements one after another along an axis of theirs."""
        known = self._known()
        shape, dtype = known.specs[0]
        if len(known.specs) > 1 or not shape:
            raise ValueError(
                explain(
                    self._name,
                    "its elements have no axis to lie along",
                    {"element": describe(known.form)},
                    "",
                    "Use tf.stack.",
                )
            )
        axis = axis % len(shape)
        if self._flow is not None and axis == 0:
            return list_rows.list_concat(self._flow, shape=shape, dtype=dtype)
        whole = self.stack()
        rest = [at for at in range(1, len(shape) + 1) if at != axis + 1]
        # the elements' number goes before the axis that they are laid along
        moved = functions["transpose"](
            whole, [*[r for r in rest if r <= axis], 0, axis + 1, *[r for r in rest if r > axis]]
        )
        sizes = functions["shape"](moved)
        joined = functions["concat"]([sizes[:axis], [-1], sizes[axis + 2 :]], 0)
        return functions["reshape"](moved, joined)

    # ---- how loops and programs carry it

    def _parts(self) -> list[Tensor]:
        return list(self._columns) if self._columns is not None else [self._flow]  # type: ignore[list-item]

    def _from_parts(self, parts: list[Tensor]) -> Any:
        dense = self._columns is not None
        made = TensorList(
            self._name, self._elements, parts if dense else None, None if dense else parts[0], self._refuse
        )
        if context.executing_eagerly() and not any(isinstance(part, Symbol) for part in parts):
            # who called the function gets an ordinary list
            return list(made) if self._elements is not None else []
        return made

    def _static(self) -> Any:
        return None if self._elements is None else self._elements.told()

    def __repr__(self) -> str:
        return f"<list of a program {self._name!r}: {'empty' if self._elements is None else describe(self._elements.form)}>"


def _several(function: Any, flow: Tensor | None, elements: Elements, *more: Tensor) -> list[Tensor]:
    """A tensor for each tensor of an element; one that stands alone comes by itself from a program being traced."""
    results = apply(function.op, (flow, *more), elements.settings())
    return [results] if isinstance(results, Tensor) else list(results)


def _lift(op: Any, arguments: tuple, settings: dict) -> Any:
    """An operation that meets such a list: stacked and joined along any axis, else taken as one tensor."""
    first = arguments[0]
    if isinstance(first, TensorList) and op.lists:
        if op.name == "concat":
            return first.concat(settings["axis"])
        if op.name == "add_n":
            return functions["reduce_sum"](first.stack(), axis=0)
        if op.name == "stack":
            return _along(first.stack(), settings["axis"])
    return apply(op, [_tensor(argument) for argument in arguments], settings)


def _along(whole: Tensor, axis: int) -> Tensor:
    rank = len(whole.shape)
    axis %= rank
    return whole if not axis else functions["transpose"](whole, [*range(1, axis + 1), 0, *range(axis + 1, rank)])


def _tensor(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_tensor(part) for part in value]
    return value.stack() if isinstance(value, TensorList) else value


ports.lifters[TensorList] = _lift
ports.converters[TensorList] = lambda value, dtype: convert(value.stack(), dtype)
