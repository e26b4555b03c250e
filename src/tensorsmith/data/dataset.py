"""Dataset: a list of elements that is never made as a whole: its stages say how to iterate, and what an element is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.dtypes import int64
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TensorSpec, TypeSpec, describe
from tensorsmith.data import elements
from tensorsmith.function.autograph import in_trace
from tensorsmith.function.composites import split
from tensorsmith.function.function import Function
from tensorsmith.function.loops import for_
from tensorsmith.function.rounds import Rounds, Series, rounds_of, zipped
from tensorsmith.ops.casting import cast
from tensorsmith.tensor.tensor import Tensor

INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -2


class Dataset:
    """Elements one after another: tensors, or tuples and dicts of them.

    Made by `from_tensor_slices`, `from_tensors`, `range` and `zip`; every other method gives a new dataset, a further
    stage, and leaves this one as it is. A `for` statement runs over it; in a traced function it is one loop of the program.

    A subclass, a stage of its own, writes
        element_spec   a TensorSpec (RaggedTensorSpec, SparseTensorSpec) for each tensor of an element
        __iter__       the elements, while operations run at once
        _size          how many there are; UNKNOWN_CARDINALITY where it does not say
    and, where element number i can be computed from i alone, `_over` in their place: how a program runs over it.

    >>> import tensorsmith as tf
    >>> dataset = tf.data.Dataset.from_tensor_slices([1, 2, 3]).batch(2)
    >>> [batch.numpy().tolist() for batch in dataset]
    [[1, 2], [3]]
    """

    @property
    def element_spec(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must write the property element_spec.")

    def _over(self) -> Rounds | Series | None:
        """How a program runs over it; None where its elements must be found one after another."""
        return None

    def _rounds(self) -> Rounds | Series:
        over = self._over()
        if over is None:
            raise TypeError(
                explain(
                    type(self).__name__,
                    "a traced function cannot loop over it",
                    "",
                    "its elements are found by Python code, one after another",
                    "Loop over it outside of tf.function.",
                )
            )
        return over

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rounds())

    def _size(self) -> int:
        over = self._over()
        return UNKNOWN_CARDINALITY if over is None else rounds_of(over)

    def _stage(
        self,
        over: Callable[[Any], Any],
        iterate: Callable[[], Iterator[Any]],
        size: Callable[[int], int] = int,
        spec: Any = None,
    ) -> Dataset:
        """A further stage: by `over` of how a program runs over this one, by `iterate` where it cannot.

        size  gives the number of elements from that of this one, where it is known.
        """
        inner, spec = self._over(), self.element_spec if spec is None else spec
        if inner is not None:
            return Indexed(over(inner), spec)
        there = self._size()
        return Iterated(iterate, there if there < 0 else size(there), spec)

    # ---- where elements come from

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """The rows of tensors, dense, ragged or sparse: of a tuple or dict of them, tuples or dicts of rows.

        >>> import tensorsmith as tf
        >>> for x, y in tf.data.Dataset.from_tensor_slices(([1, 2], [10, 20])):
        ...     print(x.numpy().item(), y.numpy().item())
        1 10
        2 20
        """
        columns, count = elements.columns_of(tensors)
        return Columns(columns, count, elements.row_spec_of(columns))

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """One element."""
        element = elements.mapped(elements.as_leaf, tensors)
        return Indexed(Rounds(1, lambda number: element), elements.spec_of(element))

    @staticmethod
    def range(*args: int, output_type: Any = int64, name: str | None = None) -> Dataset:
        """The numbers of range(...), int64 scalars.

        >>> import tensorsmith as tf
        >>> list(tf.data.Dataset.range(2, 10, 3).as_numpy_iterator())
        [np.int64(2), np.int64(5), np.int64(8)]
        """
        numbers = range(*[int(a) for a in args])
        spec = TensorSpec((), output_type)

        def item(number: Any) -> Any:
            if isinstance(number, int):
                return Tensor(spec.dtype.numpy_dtype.type(numbers[number]))
            return cast(number, spec.dtype) * numbers.step + numbers.start

        return Indexed(Rounds(len(numbers), item), spec)

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Tuples of the elements of several datasets (also given as one nested tuple), as many as the shortest has."""
        given = datasets if datasets is not None else args[0] if len(args) == 1 else tuple(args)
        inner = elements.leaves(given)
        strange = [dataset for dataset in inner if not isinstance(dataset, Dataset)]
        if strange:
            raise TypeError(
                explain(
                    "Dataset.zip", "it takes datasets", {"given": describe(strange[0])}, way_out="Use a tuple of them."
                )
            )

        def pack(parts: tuple) -> Any:
            left = iter(parts)
            return elements.mapped(lambda _: next(left), given)

        spec = elements.mapped(lambda dataset: dataset.element_spec, given)
        if any(dataset._over() is None for dataset in inner):
            known = [dataset._size() for dataset in inner]
            size = min((n for n in known if n != INFINITE_CARDINALITY), default=INFINITE_CARDINALITY)
            return Iterated(lambda: map(pack, zip(*inner)), size, spec)
        sizes = [dataset._size() for dataset in inner]
        if INFINITE_CARDINALITY in sizes and max(sizes) >= 0:
            # what goes on without end is cut to the shortest of the others
            shortest = min(size for size in sizes if size >= 0)
            inner = [dataset.take(shortest) if size < 0 else dataset for dataset, size in zip(inner, sizes)]
        return Indexed(zipped([dataset._rounds() for dataset in inner]).mapped(pack), spec)

    # ---- stages

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """`map_func` of each element (a tuple's parts are its arguments), traced as a `tf.function` is.

        >>> import tensorsmith as tf
        >>> dataset = tf.data.Dataset.from_tensor_slices(([1, 2], [10, 20])).map(lambda x, y: x + y)
        >>> [element.numpy().item() for element in dataset]
        [11, 22]
        """
        spec = self.element_spec
        concrete = Function(map_func).get_concrete_function(*(spec if type(spec) is tuple else (spec,)))

        def apply(element: Any) -> Any:
            function = concrete if context.executing_eagerly() else in_trace(map_func)
            return _element(function(*element) if type(element) is tuple else function(element))

        made = _element(concrete.structured_outputs)
        return self._stage(lambda over: over.mapped(apply), lambda: map(apply, self), spec=made)

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Every `batch_size` elements as one, stacked; the last is shorter unless `drop_remainder`.

        The rows of ragged tensors, which differ in length, are a ragged tensor again, those of sparse ones a sparse tensor.
        In a traced function the full batches are one loop; the body is traced once more for the short one.
        """
        size = int(batch_size)
        if size < 1:
            raise ValueError(explain("Dataset.batch", "batch_size must be at least 1", {"batch_size": size}))
        inner, spec = self._over(), elements.with_axis(self.element_spec, size if drop_remainder else None)
        if not isinstance(inner, Rounds):
            there = self._size()
            known = there if there < 0 else there // size if drop_remainder else -(-there // size)
            return Iterated(lambda: elements.gathered(iter(self), size, drop_remainder, self.element_spec), known, spec)
        full, rest = divmod(inner.count, size)
        parts: list[Any] = [Rounds(full, lambda number: self._stack(number * size, size))]
        if rest and not drop_remainder:
            parts.append(Rounds(1, lambda number: self._stack(full * size, rest)))
        over = parts[0] if len(parts) == 1 else Series(parts if full else parts[1:])
        return Indexed(over, spec)

    def _stack(self, first: Any, count: int) -> Any:
        """`count` elements from number `first` on, as one."""
        over = self._rounds()
        assert isinstance(over, Rounds)
        return elements.stacked(over.item, first, count, self.element_spec)

    def take(self, count: int, name: str | None = None) -> Dataset:
        """The first `count` elements; all for -1."""
        wanted, there = int(count), self._size()
        if wanted < 0 or 0 <= there <= wanted:
            return self
        return self._stage(
            lambda over: over.part(0, wanted), lambda: itertools.islice(iter(self), wanted), lambda n: min(n, wanted)
        )

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """All but the first `count` elements; none is left for -1."""
        dropped, there = int(count), self._size()
        if there == INFINITE_CARDINALITY:
            raise ValueError(explain("Dataset.skip", "the dataset has no end", way_out="Skip before repeat()."))
        if there >= 0:
            dropped = there if dropped < 0 else min(dropped, there)
        return self._stage(
            lambda over: over.part(dropped, there - dropped),
            lambda: itertools.islice(iter(self), dropped, None),
            lambda n: n - dropped,
        )

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """The elements `count` times over; without end for None or -1."""
        times = None if count is None or int(count) < 0 else int(count)

        def over(inner: Any) -> Any:
            if times is None or isinstance(inner, Series):
                return Series([inner], times)
            each, item = inner.count, inner.item
            return Rounds(each * times, lambda number: item(number % each))

        def iterate() -> Iterator[Any]:
            runs = itertools.count() if times is None else range(times)
            return itertools.chain.from_iterable(self for _ in runs)

        return self._stage(over, iterate, lambda n: INFINITE_CARDINALITY if times is None else n * times)

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """(number, element) pairs, the numbers int64.

        >>> import tensorsmith as tf
        >>> [(n.numpy().item(), x.numpy().item()) for n, x in tf.data.Dataset.from_tensor_slices([5, 6]).enumerate(1)]
        [(1, 5), (2, 6)]
        """

        def number(pair: tuple) -> tuple:
            return cast(pair[0], "int64"), pair[1]

        return self._stage(
            lambda over: over.numbered(int(start)).mapped(number),
            lambda: map(number, enumerate(self, int(start))),
            spec=(TensorSpec((), int64), self.element_spec),
        )

    def apply(self, transformation_func: Callable[[Dataset], Dataset]) -> Dataset:
        """transformation_func(self)."""
        return transformation_func(self)

    # ---- what comes out

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: str | None = None) -> Any:
        """The last state of `state = reduce_func(state, element)`, traced as one program.

        >>> import tensorsmith as tf
        >>> tf.data.Dataset.range(5).reduce(tf.constant(0, tf.int64), lambda total, x: total + x).numpy().item()
        10
        """
        if self._size() == INFINITE_CARDINALITY:
            raise ValueError(explain("Dataset.reduce", "the dataset has no end", way_out="Take a part: take(n)."))
        tensors, form = split(elements.mapped(elements.as_leaf, initial_state))

        def whole(*given: Any) -> Any:
            state = [form.pack(list(given))]
            step = in_trace(reduce_func)

            def body(element: Any) -> None:
                state[0] = _element(step(state[0], element))

            def put(values: Any) -> None:
                state[0] = values[0]

            for_(self, None, body, lambda: (state[0],), put, ("the state",))
            return state[0]

        return Function(whole)(*tensors) if context.executing_eagerly() else whole(*tensors)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as NumPy arrays."""
        return (elements.mapped(lambda leaf: leaf.numpy(), element) for element in self)

    def cardinality(self, name: str | None = None) -> Tensor:
        """How many elements there are, an int64 scalar; INFINITE_CARDINALITY or UNKNOWN_CARDINALITY where that is no number."""
        return Tensor(np.int64(self._size()))

    def __len__(self) -> int:
        size = self._size()
        if size < 0:
            raise TypeError(
                "The dataset has no end, and thus no len()."
                if size == INFINITE_CARDINALITY
                else "How many elements the dataset has is not known before they were counted."
            )
        return size

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{type(self).__name__}Dataset element_spec={self.element_spec!r}>"


class Indexed(Dataset):
    """Elements that are computed from their numbers."""

    def __init__(self, over: Rounds | Series, spec: Any) -> None:
        self._runs, self._spec = over, spec

    @property
    def element_spec(self) -> Any:
        return self._spec

    def _over(self) -> Rounds | Series:
        return self._runs


class Columns(Indexed):
    """The rows of whole arrays: a batch of them is a slice of each."""

    def __init__(self, columns: Any, count: int, spec: Any) -> None:
        super().__init__(Rounds(count, lambda number: elements.row(columns, number)), spec)
        self._columns = columns

    def _stack(self, first: Any, count: int) -> Any:
        return elements.rows(self._columns, first, count)


class Iterated(Dataset):
    """Elements that are found one after another."""

    def __init__(self, iterate: Callable[[], Iterator[Any]], size: int, spec: Any) -> None:
        self._iterate, self._count, self._spec = iterate, size, spec

    @property
    def element_spec(self) -> Any:
        return self._spec

    def _size(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        return self._iterate()


def _element(value: Any) -> Any:
    """What a user's function returned, as an element: lists of tensors are tuples, numbers are tensors."""
    if isinstance(value, list):
        value = tuple(value)
    return elements.mapped(lambda leaf: leaf if isinstance(leaf, TypeSpec) else elements.as_leaf(leaf), value)
