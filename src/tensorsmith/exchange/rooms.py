"""Every room in which operations are made: a file may name any of them, so all must be there when one is read."""

from tensorsmith.function import control_kernels
from tensorsmith.ops import (
    activations,
    casting,
    comparison,
    complex_numbers,
    creation,
    cross_entropy,
    cumulative,
    debugging,
    elementwise,
    gathering,
    identifying,
    indexing,
    keras_math,
    keras_reductions,
    keras_shaping,
    linalg,
    matrices,
    normalization,
    philox,
    random,
    reductions,
    repeating,
    rounding,
    segments,
    sequences,
    shaping,
    sorting,
    special,
    trigonometry,
)
from tensorsmith.program import lower
from tensorsmith.state import custom_gradient
from tensorsmith.structures import (
    array_rows,
    between,
    ragged_ops,
    row_partition,
    sets,
    sparse_ops,
    strings,
    unicode,
)

ROOMS = (
    activations, array_rows, between, casting, comparison, complex_numbers, control_kernels, creation, cross_entropy,
    cumulative, custom_gradient, debugging, elementwise, gathering, identifying, indexing, keras_math,
    keras_reductions, keras_shaping, linalg, lower, matrices, normalization, philox, ragged_ops, random, reductions,
    repeating, rounding, row_partition, segments, sequences, sets, shaping, sorting, sparse_ops, special, strings,
    trigonometry, unicode,
)  # fmt: skip
