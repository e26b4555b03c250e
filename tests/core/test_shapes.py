"""Static shapes: sizes that may be unknown, merged, compared and broadcast."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest

from tensorsmith.core.shapes import TensorShape, broadcast


def test_a_shape_is_a_tuple_and_a_tensorflow_shape() -> None:
    shape = TensorShape([None, 3])
    assert shape == (None, 3) == tuple(shape)
    assert shape.as_list() == [None, 3]
    assert shape.rank == shape.ndims == 2
    assert shape[1] == 3
    assert shape[:1] == TensorShape([None])
    assert isinstance(shape[:1], TensorShape)
    assert (repr(shape), str(shape)) == ("TensorShape([None, 3])", "(None, 3)")
    assert not shape.is_fully_defined()
    assert shape.num_elements() is None
    assert TensorShape([2, 3]).num_elements() == 6
    assert TensorShape([]).num_elements() == 1
    assert TensorShape(5) == (5,)
    assert TensorShape([np.int64(2)])[0] == 2


def test_a_shape_of_unknown_rank_knows_nothing() -> None:
    shape = TensorShape(None)
    assert shape.rank is None
    assert not shape
    assert (repr(shape), str(shape)) == ("TensorShape(None)", "<unknown>")
    assert shape == TensorShape(None) != TensorShape([])
    assert shape.is_compatible_with([1, 2])
    with pytest.raises(ValueError, match=r"^as_list\(\) is not defined on a TensorShape of unknown rank\.$"):
        shape.as_list()


def test_nobody_knows_how_many_sizes_a_shape_of_unknown_rank_has() -> None:
    shape = TensorShape(None)
    assert TensorShape(shape) is shape
    assert isinstance(shape, TensorShape)
    for ask in (len, list, tuple, reversed, lambda s: 2 in s, lambda s: [*s]):
        with pytest.raises(ValueError, match=r"^Cannot (take the length of|iterate over) a shape of unknown rank\.$"):
            ask(shape)
    # that some size is not known is true of it
    assert None in shape
    assert shape == TensorShape(None) != TensorShape([])
    assert hash(shape) == hash(TensorShape(None))


def test_slices_from_the_front_of_an_unknown_rank_have_a_rank() -> None:
    unknown = TensorShape(None)
    assert unknown[:2] == TensorShape([None, None])
    assert unknown[1:4:2] == TensorShape([None, None])
    for cut in (slice(None), slice(1, None), slice(-2, None), slice(0, -1), slice(3, 1, -1)):
        assert unknown[cut].rank is None


@pytest.mark.parametrize(
    ("sizes", "kind", "text"),
    [([-1], ValueError, "is at least 0, or None where it is not known, not -1"), ([1.0], TypeError, "not 1.0 (float)"),
     (["a"], TypeError, "not 'a' (str)")],
)  # fmt: skip
def test_what_is_no_size(sizes: list, kind: type, text: str) -> None:
    with pytest.raises(kind) as caught:
        TensorShape(sizes)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda s: s.assert_has_rank(3), "Shape (2, None) must have rank 3"),
        (lambda s: s.assert_same_rank([1]), "Shapes (2, None) and (1,) must have the same rank"),
        (lambda s: s.assert_is_fully_defined(), "Shape (2, None) is not fully defined"),
        (lambda s: s.with_rank_at_most(1), "Shape (2, None) must have rank at most 1"),
    ],
)
def test_what_is_asserted_of_a_shape(ask, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        ask(TensorShape([2, None]))
    assert str(caught.value) == text
    unknown, known = TensorShape(None), TensorShape([2, 3])
    for shape in (unknown, known):
        shape.assert_has_rank(2)
        shape.assert_same_rank([4, None])
        assert shape.with_rank_at_most(2) is shape
    known.assert_is_fully_defined()


def test_wider_shapes() -> None:
    shape = TensorShape([2, 3])
    assert shape.most_specific_compatible_shape([2, 4]) == TensorShape([2, None])
    assert shape.most_specific_compatible_shape([2]).rank is None
    assert shape.most_specific_common_supertype([TensorShape([1, 3]), TensorShape([2, 4])]) == TensorShape([None, None])
    assert shape.is_subtype_of([None, 3])
    assert shape.is_subtype_of(None)
    assert not shape.is_subtype_of([2])
    assert not TensorShape([None, 3]).is_subtype_of(shape)


def test_shapes_are_joined_and_sliced() -> None:
    assert TensorShape([1]) + [2, None] == (1, 2, None)  # noqa: RUF005
    assert [0] + TensorShape([1]) == (0, 1)  # noqa: RUF005
    assert TensorShape([1]).concatenate(None).rank is None
    assert TensorShape([4, 5, 6])[1:] == (5, 6)


def test_merging_holds_what_both_know() -> None:
    assert TensorShape([None, 3]).merge_with([2, None]) == (2, 3)
    assert TensorShape(None).merge_with([2]) == (2,)
    with pytest.raises(ValueError, match=r"^Shapes \(2,\) and \(3,\) are not compatible$"):
        TensorShape([2]).merge_with([3])
    with pytest.raises(ValueError, match="must have rank at least 3"):
        TensorShape([2]).with_rank_at_least(3)


@pytest.mark.parametrize("shape", [(), (2, 3), (None, 4), None])
def test_copies_of_a_shape_are_equal(shape: tuple | None) -> None:
    assert copy.deepcopy(TensorShape(shape)) == TensorShape(shape)


def test_known_shapes_broadcast_as_numpy_does() -> None:
    sizes = (0, 1, 2, 3)
    for a in itertools.product(sizes, repeat=2):
        for b in [(), *itertools.product(sizes, repeat=1), *itertools.product(sizes, repeat=2)]:
            try:
                expected = np.broadcast_shapes(a, b)
            except ValueError:
                with pytest.raises(ValueError, match="do not broadcast"):
                    broadcast(a, b)
            else:
                assert broadcast(a, b) == expected, (a, b)


def test_an_unknown_size_is_kept_unless_the_other_says_what_it_is() -> None:
    assert broadcast((None, 3), (1,)) == (None, 3)
    assert broadcast((None,), (4,)) == (4,)
    assert broadcast((1,), (None,)) == (None,)
    assert broadcast((None, 1), (2, None)) == (2, None)
