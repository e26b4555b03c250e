"""The public namespace `tf.nn`."""

from tensorsmith.ops.activations import (
    crelu,
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
from tensorsmith.ops.convolution import (
    atrous_conv2d,
    conv1d,
    conv2d,
    conv3d,
    convolution,
    depthwise_conv2d,
    depthwise_conv2d_backprop_filter,
    separable_conv2d,
)
from tensorsmith.ops.convolution_transposes import (
    atrous_conv2d_transpose,
    conv1d_transpose,
    conv2d_transpose,
    conv3d_transpose,
    conv_transpose,
    depthwise_conv2d_backprop_input,
)
from tensorsmith.ops.cross_entropy import (
    l2_loss,
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from tensorsmith.ops.ctc import collapse_repeated, ctc_unique_labels
from tensorsmith.ops.elementwise import add as bias_add
from tensorsmith.ops.isotonic import isotonic_regression
from tensorsmith.ops.loss_averages import compute_average_loss, log_poisson_loss, scale_regularization_loss
from tensorsmith.ops.normalization import (
    batch_normalization,
    l2_normalize,
    moments,
    zero_fraction,
)
from tensorsmith.ops.pooling import (
    avg_pool,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    dilation2d,
    erosion2d,
    max_pool,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_pool_with_argmax,
    pool,
)
from tensorsmith.ops.sorting import (
    approx_max_k,
    approx_min_k,
    in_top_k,
    top_k,
)
from tensorsmith.ops.spaces import depth_to_space, space_to_batch, space_to_depth, with_space_to_batch
from tensorsmith.ops.statistics import (
    batch_norm_with_global_normalization,
    local_response_normalization,
    lrn,
    normalize_moments,
    sufficient_statistics,
    weighted_moments,
)
from tensorsmith.ops.trigonometry import tanh
from tensorsmith.state.candidate_sampling import (
    all_candidate_sampler,
    compute_accidental_hits,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    nce_loss,
    sampled_softmax_loss,
)
from tensorsmith.state.dropout import dropout
from tensorsmith.state.fractional_pooling import fractional_avg_pool, fractional_max_pool
from tensorsmith.structures.ctc import ctc_beam_search_decoder, ctc_greedy_decoder, ctc_loss
from tensorsmith.structures.embedding import embedding_lookup, embedding_lookup_sparse, safe_embedding_lookup_sparse

__all__ = [
    "all_candidate_sampler", "approx_max_k", "approx_min_k", "atrous_conv2d", "atrous_conv2d_transpose", "avg_pool",
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm_with_global_normalization", "batch_normalization",
    "bias_add", "collapse_repeated", "compute_accidental_hits", "compute_average_loss", "conv1d",
    "conv1d_transpose", "conv2d", "conv2d_transpose", "conv3d", "conv3d_transpose", "conv_transpose", "convolution",
    "crelu", "ctc_beam_search_decoder", "ctc_greedy_decoder", "ctc_loss", "ctc_unique_labels", "depth_to_space",
    "depthwise_conv2d", "depthwise_conv2d_backprop_filter", "depthwise_conv2d_backprop_input", "dilation2d",
    "dropout", "elu", "embedding_lookup", "embedding_lookup_sparse", "erosion2d", "fixed_unigram_candidate_sampler",
    "fractional_avg_pool", "fractional_max_pool", "gelu", "in_top_k", "isotonic_regression", "l2_loss",
    "l2_normalize", "leaky_relu", "learned_unigram_candidate_sampler", "local_response_normalization",
    "log_poisson_loss", "log_softmax", "lrn", "max_pool", "max_pool1d", "max_pool2d", "max_pool3d",
    "max_pool_with_argmax", "moments", "nce_loss", "normalize_moments", "pool", "relu", "relu6",
    "safe_embedding_lookup_sparse", "sampled_softmax_loss", "scale_regularization_loss", "selu", "separable_conv2d",
    "sigmoid", "sigmoid_cross_entropy_with_logits", "silu", "softmax", "softmax_cross_entropy_with_logits",
    "softplus", "softsign", "space_to_batch", "space_to_depth", "sparse_softmax_cross_entropy_with_logits",
    "sufficient_statistics", "swish", "tanh", "top_k", "weighted_cross_entropy_with_logits", "weighted_moments",
    "with_space_to_batch", "zero_fraction",
]  # fmt: skip
