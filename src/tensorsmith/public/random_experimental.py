"""The public namespace `tf.random.experimental`."""

from tensorsmith.state.random_generator import Generator, get_global_generator, set_global_generator, stateless_shuffle

__all__ = ["Generator", "get_global_generator", "set_global_generator", "stateless_shuffle"]
