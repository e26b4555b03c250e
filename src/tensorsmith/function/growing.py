"""The Python lists that the rounds of a loop change: how a program's loop carries each of them."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.function import list_rows
from tensorsmith.function.composites import is_composite, is_tensor
from tensorsmith.function.control_flow import is_open
from tensorsmith.function.lists import Elements, TensorList, taken
from tensorsmith.function.merging import NUMBER
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local

# how a list is carried, each way for what the one before cannot do
PYTHON = "a Python list of so many tensors"
STACKED = "what each round appends, stacked"
DENSE = "one tensor whose rows change"
FREE = "a list of any length"
# not carried: what is put into it while the loop is traced is no tensor
LEFT = "Python's own"


class Again(BaseException):
    """The body of a loop told something that the loop must know before it is traced."""

    def __init__(self, of: Any) -> None:
        self.of = of


class Collecting:
    """A list in the body of a loop whose rounds append to it, equally many elements each, and do nothing else."""

    def __init__(self, owner: Grown, at: int, name: str) -> None:
        self._owner, self._at, self._name = owner, at, name
        self._elements: Elements | None = None
        self._pieces: list[list[Tensor]] = []

    def append(self, value: Any) -> None:
        if not _is_data(value):
            self._owner.go_on(self._at, LEFT)
        parts, self._elements = taken(self._name, value, self._elements)
        self._pieces.append([functions["expand_dims"](part, 0) for part in parts])

    def extend(self, values: Any) -> None:
        if isinstance(values, TensorList) and values._columns is not None:
            self.extend_columns(values._columns, values._known())
        elif isinstance(values, (list, tuple)):
            for value in values:
                self.append(value)
        else:
            self._refuse()

    def __iadd__(self, values: Any) -> Collecting:
        self.extend(values)
        return self

    def extend_columns(self, columns: list[Tensor], elements: Elements) -> None:
        """n elements more, the rows of tensors [n, ...]: each round must have as many."""
        if columns[0].shape[0] is None:
            self._refuse()
        self._elements = elements if self._elements is None else self._elements.merged(elements)
        self._pieces.append(columns)

    def _refuse(self, *args: Any) -> Any:
        self._owner.go_on(self._at)

    copy = pop = insert = remove = clear = reverse = sort = index = count = _refuse
    __getitem__ = __setitem__ = __delitem__ = __len__ = __iter__ = __contains__ = __add__ = _refuse
    _length = _rounds = _parts = _refuse

    def given(self) -> list[Tensor]:
        """What the round appended: a tensor [k, ...] for each tensor of an element."""
        if len(self._pieces) == 1:
            return self._pieces[0]
        return [functions["concat"](list(column), 0) for column in zip(*self._pieces)]


class Grown:
    """The lists among the variables of one loop that its rounds change, and how each is carried.

    names    of all variables of the loop.
    lists    the names of those that the body changes by append, pop, an assignment to an element and the like.
    counted  True where nothing but a count ends the loop.
    """

    def __init__(self, before: tuple, names: tuple[str, ...], lists: tuple[str, ...], counted: bool) -> None:
        self.before, self.names, self.counted = before, names, counted
        self.ways: dict[int, list[str]] = {}
        for at, name in enumerate(names):
            if name in lists and type(before[at]) in (list, TensorList, Collecting):
                self.ways[at] = self._ways(before[at])
        self.collecting: dict[int, Collecting] = {}
        self.forms: list[tuple[int, Elements, int]] = []

    def _ways(self, value: Any) -> list[str]:
        found = [PYTHON] if type(value) is list and value else []
        if self.counted:
            found.append(STACKED)
        if type(value) is Collecting:
            return found
        dense = value._columns is not None if isinstance(value, TensorList) else len(value) > 0
        return [*found, *([DENSE] if dense else []), FREE]

    def go_on(self, at: int, way: str | None = None) -> Any:
        """The list cannot be carried as it is: the loop is traced again with the next way, or with this one."""
        if way is not None:
            self.ways[at] = [way]
        else:
            self.ways[at].pop(0)
        if not self.ways[at] or way is not None and type(self.before[at]) is Collecting:
            # the loop around it must carry it otherwise
            outer = self.before[at]
            outer._owner.go_on(outer._at, way)
        raise Again(self)

    def first(self) -> list[Any]:
        """The values that the loop begins with."""
        values = list(self.before)
        for at, (way, *_) in self.ways.items():
            if way in (STACKED, LEFT):
                values[at] = None
            elif way != PYTHON:
                whole = TensorList.of(values[at], self.names[at])
                values[at] = whole.free() if way == FREE else whole
                values[at]._refuse = None if way == FREE else lambda at=at: self.go_on(at)
        return values

    def counting(self, count: Any) -> Any:
        """The number of rounds; a program waits for it where so many values are stacked and shapes do not tell it."""
        stacks = any(way == STACKED for way, *_ in self.ways.values())
        return list_rows.known_count(count) if stacks and is_open(count) and not of_shapes(count) else count

    def given(self, state: tuple) -> tuple:
        """What the body is given for what the loop carries."""
        values = list(state)
        for at, (way, *_) in self.ways.items():
            if way == STACKED:
                values[at] = self.collecting[at] = Collecting(self, at, self.names[at])
            elif way == LEFT:
                values[at] = self.before[at]
            elif way == PYTHON:
                values[at] = list(values[at])
        return tuple(values)

    def taken(self, state: tuple) -> tuple[list[Any], list[Tensor]]:
        """What the loop carries for what the body left, and what the round gives besides."""
        values, besides = list(state), []
        self.forms = []
        for at, (way, *_) in self.ways.items():
            if way == PYTHON and (type(values[at]) is not list or len(values[at]) != len(self.before[at])):
                self.go_on(at)
            if way in (PYTHON, DENSE, FREE):
                continue
            if way == STACKED:
                collected = self.collecting[at]
                if values[at] is not collected:
                    self.go_on(at)  # another list took its place
                if collected._pieces:
                    parts = collected.given()
                    assert collected._elements is not None
                    self.forms.append((at, collected._elements, len(parts)))
                    besides.extend(parts)
            values[at] = None
        return values, besides

    def failed(self) -> bool:
        """Whether the body may have failed for the way in which a list was carried, which is another one then."""
        at = next((at for at, ways in self.ways.items() if ways[0] == PYTHON), None)
        if at is None:
            return False
        self.ways[at].pop(0)
        return True

    def after(self, state: list[Any], stacked: list[Tensor]) -> tuple:
        """The values behind the loop."""
        values = list(state)
        for at, (way, *_) in self.ways.items():
            if way in (STACKED, LEFT):
                values[at] = self.before[at]
            elif isinstance(values[at], TensorList):
                values[at]._refuse = None
        for at, elements, count in self.forms:
            columns = [functions["reshape"](c, (-1, *_sizes(c)[2:])) for c in stacked[:count]]
            if columns and stacked[0].shape[0] is not None and stacked[0].shape[1] is not None:
                whole = stacked[0].shape[0] * stacked[0].shape[1]
                columns = [functions["ensure_shape"](c, (whole, *tuple(c.shape)[1:])) for c in columns]
            del stacked[:count]
            values[at] = _with(self.before[at], self.names[at], columns, elements)
        for at in self.ways:
            if type(self.before[at]) is list and values[at] is not self.before[at]:
                self.before[at].append(Moved(self.names[at]))
        return tuple(values)


def _sizes(column: Tensor) -> list[Any]:
    sizes = functions["shape"](column)
    return [sizes[at] if size is None else size for at, size in enumerate(tuple(column.shape))]


def _with(before: Any, name: str, columns: list[Tensor], elements: Elements) -> Any:
    """The list before the loop, longer by what the loop appended."""
    if type(before) is Collecting:
        before.extend_columns(columns, elements)
        return before
    if type(before) is list and not before:
        return TensorList(name, elements, columns)
    whole = TensorList.of(before, name, elements)
    whole.extend_columns(columns, elements)
    return whole


_OF_SHAPES = frozenset(
    "add cast floor_divide floordiv gather getitem maximum minimum multiply negative strided_slice subtract".split()
)


def of_shapes(number: Symbol) -> bool:
    """Whether a number hangs on the shapes of tensors alone, so that it is known when the program is compiled."""
    graph: Any = _local.graph
    if number._graph is not graph or graph.outer is not None:
        return False  # the numbers that a branch or a loop is given are not known to it
    made = {at: node for node in graph.program.nodes for at in node.outputs}

    def known(at: int) -> bool:
        node = made.get(at)
        if node is None:
            return at in graph.program.constants
        return node.op.name in ("shape", "size") or node.op.name in _OF_SHAPES and all(map(known, node.inputs))

    return known(number._id)


def _is_data(value: Any) -> bool:
    """Whether an element is one that a program can hold: tensors and numbers, nested or not."""
    return all(is_tensor(leaf) or isinstance(leaf, NUMBER) or is_composite(leaf) for leaf in nest.flatten(value))


class Moved:
    """Stands at the end of a list that a loop of a program went on with under its name: other names do not see that."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _read(self) -> Any:
        raise TypeError(
            f"The list {self._name!r} was changed by a loop that runs as part of a program, and what the loop made is "
            "known by that name alone: use it where the loop is, or return it from the function that has the loop."
        )

    def __repr__(self) -> str:
        return f"<changed by a loop of a program, as {self._name!r}>"
