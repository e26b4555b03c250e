"""The public namespace `tf.test`."""

from tensorsmith.state.compare import compute_gradient

__all__ = ["compute_gradient"]
