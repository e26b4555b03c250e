"""The public namespace `tf.nn`."""

from tensorsmith.ops.activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    swish,
)
from tensorsmith.ops.cross_entropy import (
    l2_loss,
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from tensorsmith.ops.elementwise import add as bias_add
from tensorsmith.ops.gathering import (
    embedding_lookup,
)
from tensorsmith.ops.normalization import (
    batch_normalization,
    l2_normalize,
    moments,
    zero_fraction,
)
from tensorsmith.ops.sorting import (
    in_top_k,
    top_k,
)
from tensorsmith.ops.trigonometry import tanh
from tensorsmith.state.random_generator import (
    dropout,
)

__all__ = [
    "batch_normalization", "bias_add", "dropout", "elu", "embedding_lookup", "gelu", "in_top_k", "l2_loss",
    "l2_normalize", "leaky_relu", "log_softmax", "moments", "relu", "relu6", "selu", "sigmoid",
    "sigmoid_cross_entropy_with_logits", "silu", "softmax", "softmax_cross_entropy_with_logits", "softplus",
    "softsign", "sparse_softmax_cross_entropy_with_logits", "swish", "tanh", "top_k",
    "weighted_cross_entropy_with_logits", "zero_fraction",
]  # fmt: skip
