"""The public namespace `tf.random.experimental`."""

from tensorsmith.ops.index_shuffle import index_shuffle
from tensorsmith.state.random_distributions import Algorithm, create_rng_state
from tensorsmith.state.random_distributions import fold_in as stateless_fold_in
from tensorsmith.state.random_distributions import split as stateless_split
from tensorsmith.state.random_generator import Generator, get_global_generator, set_global_generator
from tensorsmith.state.random_stateless import stateless_shuffle

__all__ = [
    "Algorithm", "Generator", "create_rng_state", "get_global_generator", "index_shuffle", "set_global_generator",
    "stateless_fold_in", "stateless_shuffle", "stateless_split",
]  # fmt: skip
