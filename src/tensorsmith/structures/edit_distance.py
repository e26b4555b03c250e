"""The Levenshtein distance between sequences that sparse tensors hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.program.op import Array, Specs
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.tensor.apply import apply, primitive
from tensorsmith.tensor.tensor import Tensor

_FLOAT32 = np.dtype("float32")


def _groups(specs: Specs, settings: dict) -> Specs:
    rank = specs[2][0][0]
    return [((None,) * (rank - 1) if rank else (), _FLOAT32)]


@primitive(name="edit_distance", same=frozenset({"values", "truth"}), eager=True, differentiable=False, shapes=_groups)
def _edit_distance(
    xp,
    indices: Array,
    values: Array,
    shape: Array,
    truth_indices: Array,
    truth: Array,
    truth_shape: Array,
    normalize=True,
):
    sizes = tuple(np.maximum(shape[:-1], truth_shape[:-1]).tolist())
    first, second = _sequences(indices, values), _sequences(truth_indices, truth)
    found = np.zeros(sizes, _FLOAT32)
    for place in {*first, *second}:
        a, b = first.get(place, []), second.get(place, [])
        distance = float(levenshtein(a, b))
        if normalize:
            # of a truth without any element every element is one too many
            distance = distance / len(b) if b else (np.inf if a else 0.0)
        found[place] = distance
    return found


def _sequences(indices: np.ndarray, values: np.ndarray) -> dict[tuple[int, ...], list[Any]]:
    """The elements of each group, in order."""
    found: dict[tuple[int, ...], list[Any]] = {}
    for place, value in zip(indices[:, :-1].tolist(), values.tolist()):
        found.setdefault(tuple(place), []).append(value)
    return found


def levenshtein(a: list[Any], b: list[Any]) -> int:
    """How many elements must be put in, taken out or replaced to make b of a (Wagner and Fischer, 1974)."""
    row = list(range(len(b) + 1))
    for at, x in enumerate(a, 1):
        before, row[0] = row[0], at
        for to, y in enumerate(b, 1):
            before, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, before + (x != y))
    return row[-1]


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str | None = "edit_distance") -> Tensor:
    """How many elements must be put in, taken out or replaced to make each sequence of `truth` of that of `hypothesis`.

    hypothesis, truth  sparse tensors of one dtype and rank n >= 2, whose last axis goes along the sequences; their other
                       axes tell which sequence: the result [*groups] has one axis less, the greater of both sizes.
    normalize          divide by the length of the truth; inf where it is empty and the hypothesis is not.

    Its values are looked at one by one: a program that holds it runs on NumPy.
    Raises TypeError for what is not sparse, InvalidArgumentError where ranks or dtypes differ.

    >>> import tensorsmith as tf
    >>> said, meant = tf.sparse.from_dense([[1, 2, 3]]), tf.sparse.from_dense([[1, 3, 0]])
    >>> tf.edit_distance(said, meant).numpy()
    array([0.5], dtype=float32)
    """
    for what, value in (("hypothesis", hypothesis), ("truth", truth)):
        if not isinstance(value, SparseTensor):
            raise TypeError(explain("edit_distance", f"{what} must be a SparseTensor", {what: type(value).__name__}))
    ranks = hypothesis.shape.rank, truth.shape.rank
    if None not in ranks and (ranks[0] != ranks[1] or ranks[0] < 2):
        raise InvalidArgumentError(
            explain(
                "edit_distance",
                "the ranks do not fit",
                {"hypothesis": tuple(hypothesis.shape), "truth": tuple(truth.shape)},
                "both have one rank, of at least 2",
            )
        )
    parts = [p for s in (hypothesis, truth) for p in (s.indices, s.values, s.dense_shape)]
    return apply(_edit_distance, tuple(parts), {"normalize": bool(normalize)})
