"""The public namespace `tf.autodiff`."""

from tensorsmith.state.forward import ForwardAccumulator
from tensorsmith.state.tape import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]
