"""Nested lists, tuples, dicts and namedtuples, flattened and rebuilt."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import pytest

from tensorsmith.core import nest
from tensorsmith.core.shapes import TensorShape

Pair = namedtuple("Pair", ["left", "right"])
NESTED = {"b": [1, (2, 3)], "a": Pair(4, {"z": 5, "y": 6})}


def test_flattening_walks_dicts_in_sorted_order() -> None:
    assert nest.flatten(NESTED) == [4, 6, 5, 1, 2, 3]
    assert nest.flatten(7) == [7]
    assert nest.flatten([]) == []
    assert nest.flatten({"b": 1, "a": 2}) == nest.flatten({"a": 2, "b": 1})


def test_a_shape_is_a_leaf() -> None:
    assert nest.flatten([TensorShape([1, 2])]) == [TensorShape([1, 2])]


def test_mapping_keeps_structure_and_order_of_keys() -> None:
    doubled = nest.map_structure(lambda x: 2 * x, NESTED)
    assert doubled == {"b": [2, (4, 6)], "a": Pair(8, {"z": 10, "y": 12})}
    assert list(doubled) == ["b", "a"]
    assert isinstance(doubled["a"], Pair)
    assert isinstance(nest.map_structure(str, OrderedDict(a=1)), OrderedDict)


def test_packing_undoes_flattening() -> None:
    assert nest.pack_sequence_as(NESTED, nest.flatten(NESTED)) == NESTED


def test_packing_refuses_a_wrong_number_of_leaves() -> None:
    with pytest.raises(ValueError, match=r"^The structure \[0, 0\] has more leaves than the 1 given\.$"):
        nest.pack_sequence_as([0, 0], [1])
    with pytest.raises(ValueError, match=r"^The structure \[0\] has fewer leaves than the 2 given\.$"):
        nest.pack_sequence_as([0], [1, 2])


def test_structures_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="don't have the same nested structure"):
        nest.assert_same_structure([1, [2]], [1, 2])
    with pytest.raises(ValueError, match=r"^The two dictionaries don't have the same keys: \['a'\] and \['b'\]\.$"):
        nest.map_structure(lambda a, b: a, {"a": 1}, {"b": 1})


def test_map_structure_visits_leaves_as_flatten_lists_them():
    seen = []
    mapped = nest.map_structure(lambda leaf: seen.append(leaf) or leaf, {"b": 1, "a": {"d": 2, "c": 3}})
    assert seen == nest.flatten(mapped) == [3, 2, 1]
    assert [*mapped, *mapped["a"]] == ["b", "a", "d", "c"]


def test_a_leaf_and_a_list_are_two_structures():
    with pytest.raises(ValueError, match=r"don't have the same nested structure: 1 and .1."):
        nest.assert_same_structure(1, [1])
    with pytest.raises(ValueError, match="don't have the same nested structure"):
        nest.assert_same_structure([1, 2], [1, [2]])


def test_types_of_structures_are_compared_where_asked() -> None:
    assert nest.map_structure(lambda a, b: a + b, [1], (2,), check_types=False) == [3]
    with pytest.raises(
        TypeError, match=r"^The two structures don't have the same types: \[1\] is a list, \(2,\) a tuple;"
    ):
        nest.map_structure(lambda a, b: a + b, [1], (2,))
    with pytest.raises(TypeError, match="don't have the same types"):
        nest.assert_same_structure(Pair(1, 2), (1, 2))
    nest.assert_same_structure(Pair(1, 2), (1, 2), check_types=False)
    nest.assert_same_structure(Pair(1, 2), namedtuple("Pair", ["left", "right"])(1, 2))
    with pytest.raises(TypeError, match="don't have the same types"):
        nest.assert_same_structure(Pair(1, 2), namedtuple("Pair", ["a", "b"])(1, 2))
    with pytest.raises(TypeError, match="don't have the same types"):
        nest.assert_same_structure(Pair(1, 2), namedtuple("Other", ["left", "right"])(1, 2))
    nest.assert_same_structure({"a": 1}, OrderedDict(a=1))
    with pytest.raises(ValueError, match=r"^nest\.map_structure: at least one structure is needed"):
        nest.map_structure(len)
