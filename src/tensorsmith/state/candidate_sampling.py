"""Classes drawn to stand for all the others, and the losses that need only them: nce and sampled softmax."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.ops.casting import cast, stop_gradient
from tensorsmith.ops.comparison import equal, greater, where
from tensorsmith.ops.creation import ones_like, zeros_like
from tensorsmith.ops.cross_entropy import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits
from tensorsmith.ops.elementwise import add, divide, log, maximum, multiply, negative, subtract
from tensorsmith.ops.gathering import gather
from tensorsmith.ops.linalg import matmul
from tensorsmith.ops.reductions import reduce_any, reduce_sum
from tensorsmith.ops.shaping import concat, expand_dims, reshape
from tensorsmith.ops.sorting import bincount, top_k
from tensorsmith.program.op import Array
from tensorsmith.state.random_generator import categorical, of_the_process, uniform
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.apply import op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


class Candidates(NamedTuple):
    """What a sampler gives.

    sampled_candidates       int64 [num_sampled].
    true_expected_count      how often each true class is expected among them, like true_classes.
    sampled_expected_count   the same of each sampled one, [num_sampled].
    """

    sampled_candidates: Tensor
    true_expected_count: Tensor
    sampled_expected_count: Tensor


@op(differentiable=False, kinds="f", shapes=lambda specs, settings: [specs[0]], quiet=True)
def expected_counts(xp, p: Array, count: int, unique: bool):
    """How often each class [N] of probability p is expected among `count` draws.

    Unique ones are drawn until there are enough: of t draws class i is among them with 1 - (1 - p_i)**t, and t is the
    number of draws after which `count` different ones are expected.
    """
    p = p.astype("float64")
    if not unique:
        return (p * count).astype("float32")
    logs = xp.log1p(-xp.minimum(p, 1 - 1e-12))
    # in powers of 2: between 1 and 2**64 draws
    low, high = xp.zeros((), "float64"), xp.full((), 64.0)
    for _ in range(60):
        middle = (low + high) / 2
        enough = -xp.sum(xp.expm1(2.0**middle * logs)) >= count
        low, high = xp.where(enough, low, middle), xp.where(enough, middle, high)
    found = -xp.expm1(2.0**high * logs)
    return xp.where(xp.sum(p > 0) <= count, p > 0, found).astype("float32")


def _draw(who: str, p: Any, true_classes: Any, num_sampled: int, unique: bool, seed: Any) -> Candidates:
    true_classes, p = convert(true_classes), convert(p)
    classes = int(p.shape[0])  # type: ignore[arg-type]
    possible = classes if isinstance(p, Symbol) else np.count_nonzero(p)
    if unique and num_sampled > possible:
        raise ValueError(
            explain(
                who, "there are not so many classes", {"num_sampled": num_sampled, "classes": classes}, "unique=True"
            )
        )
    # as low as can be where p is 0, of which the logarithm would warn
    logits = cast(where(greater(p, 0.0), log(maximum(p, 1e-300)), convert(-1e30, p.dtype)), "float32")
    if unique:
        # the greatest of log p + Gumbel noise are draws without putting back
        u = uniform([classes], minval=1e-7, maxval=1.0, seed=seed)
        found = cast(top_k(subtract(logits, log(negative(log(u)))), num_sampled)[1], "int64")
    else:
        found = categorical(expand_dims(logits, 0), num_sampled, seed=seed)[0]
    counts = expected_counts(p, count=num_sampled, unique=bool(unique))
    return Candidates(found, gather(counts, true_classes), gather(counts, found))


def uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None,
    name: str | None = None,
) -> Candidates:  # fmt: skip
    """Classes drawn evenly from [0, range_max): (candidates, expected counts of the true ones and of them).

    unique  no class twice; what counts as expected is then that of a typical number of draws.

    >>> import tensorsmith as tf
    >>> ids, _, counts = tf.random.uniform_candidate_sampler([[0]], 1, 3, True, 3)
    >>> sorted(ids.numpy().tolist()), counts.numpy().tolist()
    ([0, 1, 2], [1.0, 1.0, 1.0])
    """
    p = np.full(range_max, 1 / range_max)
    return _draw("uniform_candidate_sampler", p, true_classes, num_sampled, unique, seed)


def _log_uniform(range_max: int) -> np.ndarray:
    return np.diff(np.log(np.arange(1, range_max + 2))) / math.log(range_max + 1)


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None,
    name: str | None = None,
) -> Candidates:  # fmt: skip
    """Classes drawn with p = log((c + 2) / (c + 1)) / log(range_max + 1): for classes sorted by how frequent they are.

    >>> import tensorsmith as tf
    >>> tf.random.log_uniform_candidate_sampler([[0]], 1, 2, False, 3).true_expected_count.numpy()
    array([[1.]], dtype=float32)
    """
    return _draw("log_uniform_candidate_sampler", _log_uniform(range_max), true_classes, num_sampled, unique, seed)


def fixed_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, vocab_file: str = "",
    distortion: float = 1.0, num_reserved_ids: int = 0, num_shards: int = 1, shard: int = 0, unigrams: Sequence[float] = (),
    seed: Any = None, name: str | None = None,
) -> Candidates:  # fmt: skip
    """Classes drawn with p in proportion to unigrams ** distortion; the first num_reserved_ids are never drawn.

    unigrams are given, or stand in the last column of vocab_file (CSV). With shards only every num_shards-th counts.
    Raises ValueError unless exactly one of the two is given and there are range_max of them.

    >>> import tensorsmith as tf
    >>> tf.nn.fixed_unigram_candidate_sampler([[0]], 1, 2, False, 2, unigrams=[1.0, 3.0]).true_expected_count.numpy()
    array([[0.5]], dtype=float32)
    """
    who = "fixed_unigram_candidate_sampler"
    if bool(vocab_file) == bool(len(unigrams)):
        raise ValueError(explain(who, "one of vocab_file and unigrams is needed", {"vocab_file": vocab_file}))
    if vocab_file:
        with open(vocab_file, encoding="utf-8") as lines:
            unigrams = [float(line.rsplit(",", 1)[-1]) for line in lines if line.strip()]
    weights = np.concatenate([np.zeros(num_reserved_ids), np.asarray(unigrams, float) ** distortion])
    if len(weights) != range_max:
        raise ValueError(
            explain(who, "there is not one unigram for each class", {"unigrams": len(weights), "range_max": range_max})
        )
    weights = np.where(np.arange(range_max) % num_shards == shard, weights, 0)
    return _draw(who, weights / weights.sum(), true_classes, num_sampled, unique, seed)


# {what a sampler was asked: how often each class was a true one, plus 1}
_learned: dict[Any, Variable] = {}


def learned_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None,
    name: str | None = None,
) -> Candidates:  # fmt: skip
    """Classes drawn as often as they were seen among the true ones: at first evenly, from then on as they come.

        p(class) = (1 + how often it was a true class in earlier calls) / sum of these

    Calls of the same settings share what they learned.

    >>> import tensorsmith as tf
    >>> ids, _, counts = tf.random.learned_unigram_candidate_sampler([[0]], 1, 3, True, 3)
    >>> sorted(ids.numpy().tolist()), counts.numpy().tolist()
    ([0, 1, 2], [1.0, 1.0, 1.0])
    """
    who = "learned_unigram_candidate_sampler"
    true_classes = convert(true_classes)
    key = num_true, num_sampled, bool(unique), range_max, seed
    seen = _learned.get(key)
    if seen is None:
        seen = _learned[key] = of_the_process(lambda: Variable(np.ones(range_max), trainable=False, name=who))
    weights = seen.read_value()
    drawn = _draw(who, divide(weights, reduce_sum(weights)), true_classes, num_sampled, unique, seed)
    seen.assign_add(cast(bincount(true_classes, minlength=range_max, maxlength=range_max), "float64"))
    return drawn


def all_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, seed: Any = None, name: str | None = None
) -> Candidates:
    """All classes [0, num_sampled): each expected once.

    >>> import tensorsmith as tf
    >>> tf.nn.all_candidate_sampler([[0]], 1, 3, True).sampled_candidates.numpy()
    array([0, 1, 2])
    """
    true_classes = convert(true_classes)
    found = convert(np.arange(num_sampled))
    return Candidates(found, ones_like(true_classes, dtype="float32"), ones_like(found, dtype="float32"))


def _hits(true_classes: Tensor, sampled: Tensor) -> Tensor:
    """Where a sampled class is a true one: [B, num_true, num_sampled]."""
    return equal(expand_dims(true_classes, -1), reshape(sampled, [1, 1, -1]))


def compute_accidental_hits(
    true_classes: Any, sampled_candidates: Any, num_true: int, seed: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """(rows, places among the candidates, weights of the lowest float32) of candidates that are true classes of a row.

    The size of the result hangs on values: in a compiled program it runs on NumPy.

    >>> import tensorsmith as tf
    >>> rows, places, _ = tf.nn.compute_accidental_hits([[1], [5]], [5, 7], 1)
    >>> rows.numpy(), places.numpy()
    (array([1], dtype=int32), array([0]))
    """
    true_classes = cast(convert(true_classes), "int64")
    found = where(_hits(true_classes, cast(convert(sampled_candidates), "int64")))
    rows = cast(found[:, 0], "int32")
    return rows, found[:, 2], multiply(ones_like(rows, dtype="float32"), float(np.finfo("float32").min))


def _logits(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int,
    sampled_values: Any, remove_accidental_hits: bool, seed: Any,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Logits of the true and the sampled classes [B, num_true + num_sampled], and the labels that they should give."""
    inputs = convert(inputs)
    if isinstance(weights, (list, tuple)) and weights and hasattr(weights[0], "shape"):
        weights = weights[0] if len(weights) == 1 else concat(list(weights), 0)
    labels = reshape(cast(convert(labels), "int64"), [-1, num_true])
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
    sampled, true_counts, sampled_counts = [stop_gradient(value) for value in sampled_values]
    sampled = cast(sampled, "int64")
    true_weights = gather(weights, labels)
    true = add(reduce_sum(multiply(expand_dims(inputs, 1), true_weights), axis=2), gather(biases, labels))
    other = add(matmul(inputs, gather(weights, sampled), transpose_b=True), gather(biases, sampled))
    if remove_accidental_hits:
        # as low as can be, and not -inf, of which a label of 0 would make NaN
        lowest = multiply(ones_like(other), float(np.finfo(other.dtype.numpy_dtype).min))
        other = where(reduce_any(_hits(labels, sampled), axis=1), lowest, other)
    true = subtract(true, cast(log(true_counts), true.dtype))
    other = subtract(other, cast(log(sampled_counts), other.dtype))
    wanted = concat([divide(ones_like(true), float(num_true)), zeros_like(other)], 1)
    return concat([true, other], 1), wanted


def nce_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = False, name: str = "nce_loss",
) -> Tensor:  # fmt: skip
    """Noise-contrastive estimation: true classes against sampled ones, a sigmoid each: one loss a row [B].

    weights [num_classes, D], biases [num_classes], labels [B, num_true], inputs [B, D]; sampled_values of a sampler, by
    default of `log_uniform_candidate_sampler`.
    Source: Gutmann and Hyvarinen (2010), Noise-contrastive estimation.

    >>> import tensorsmith as tf
    >>> drawn = tf.nn.all_candidate_sampler([[0]], 1, 2, True)
    >>> tf.nn.nce_loss(tf.zeros([2, 3]), tf.zeros([2]), [[0]], tf.ones([1, 3]), 2, 2, sampled_values=drawn).numpy().round(4)
    array([2.0794], dtype=float32)
    """
    layer = weights, biases, labels, inputs
    logits, wanted = _logits(*layer, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, None)
    return reduce_sum(sigmoid_cross_entropy_with_logits(wanted, logits), axis=1)


def sampled_softmax_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = True, seed: Any = None, name: str = "sampled_softmax_loss",
) -> Tensor:  # fmt: skip
    """The softmax cross entropy of the true classes among the sampled ones alone: one loss a row [B]. For training only.

    Arguments as of `nce_loss`.
    Source: Jean et al. (2014), On using very large target vocabulary.

    >>> import tensorsmith as tf
    >>> drawn = tf.nn.all_candidate_sampler([[0]], 1, 2, True)
    >>> w, b, x = tf.zeros([2, 3]), tf.zeros([2]), tf.ones([1, 3])
    >>> tf.nn.sampled_softmax_loss(w, b, [[0]], x, 2, 2, sampled_values=drawn).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    layer = weights, biases, labels, inputs
    logits, wanted = _logits(*layer, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, seed)
    return softmax_cross_entropy_with_logits(stop_gradient(wanted), logits)
