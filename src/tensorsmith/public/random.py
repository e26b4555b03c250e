"""The public namespace `tf.random`."""

from tensorsmith.public import random_experimental as experimental
from tensorsmith.state.candidate_sampling import (
    all_candidate_sampler,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler,
    uniform_candidate_sampler,
)
from tensorsmith.state.random_distributions import (
    Algorithm,
    create_rng_state,
    fold_in,
    gamma,
    poisson,
    split,
    stateless_gamma,
    stateless_poisson,
)
from tensorsmith.state.random_generator import (
    Generator,
    categorical,
    get_global_generator,
    normal,
    set_global_generator,
    set_seed,
    shuffle,
    truncated_normal,
    uniform,
)
from tensorsmith.state.random_stateless import (
    stateless_binomial,
    stateless_categorical,
    stateless_normal,
    stateless_parameterized_truncated_normal,
    stateless_truncated_normal,
    stateless_uniform,
)

__all__ = [
    "Algorithm", "Generator", "all_candidate_sampler", "categorical", "create_rng_state", "experimental",
    "fixed_unigram_candidate_sampler", "fold_in", "gamma", "get_global_generator",
    "learned_unigram_candidate_sampler", "log_uniform_candidate_sampler", "normal", "poisson",
    "set_global_generator", "set_seed", "shuffle", "split", "stateless_binomial", "stateless_categorical",
    "stateless_gamma", "stateless_normal", "stateless_parameterized_truncated_normal", "stateless_poisson",
    "stateless_truncated_normal", "stateless_uniform", "truncated_normal", "uniform", "uniform_candidate_sampler",
]  # fmt: skip
