"""The public namespace `tf.random`."""

from tensorsmith.public import random_experimental as experimental
from tensorsmith.state.candidate_sampling import (
    all_candidate_sampler,
    fixed_unigram_candidate_sampler,
    log_uniform_candidate_sampler,
    uniform_candidate_sampler,
)
from tensorsmith.state.random_generator import (
    Generator,
    categorical,
    get_global_generator,
    normal,
    set_global_generator,
    set_seed,
    shuffle,
    stateless_categorical,
    stateless_normal,
    stateless_truncated_normal,
    stateless_uniform,
    truncated_normal,
    uniform,
)

__all__ = [
    "Generator", "all_candidate_sampler", "categorical", "experimental", "fixed_unigram_candidate_sampler",
    "get_global_generator", "log_uniform_candidate_sampler", "normal", "set_global_generator", "set_seed",
    "shuffle", "stateless_categorical", "stateless_normal", "stateless_truncated_normal", "stateless_uniform",
    "truncated_normal", "uniform", "uniform_candidate_sampler",
]  # fmt: skip
