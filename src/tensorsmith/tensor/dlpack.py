"""Memory shared with other libraries by DLPack: to_dlpack, from_dlpack."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# the number of the processor among DLPack's kinds of devices
_PROCESSOR = (1, 0)


class _Capsule:
    """A capsule as an object that is asked for it: NumPy takes only these."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **settings: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return _PROCESSOR


def to_dlpack(tf_tensor: Any) -> Any:
    """A capsule with the memory of a tensor, which nobody may write to, for the `from_dlpack` of another library.

    Libraries of today take the tensor itself: `torch.from_dlpack(t)`, `numpy.from_dlpack(t)`.

    >>> import tensorsmith as tf
    >>> capsule = tf.experimental.dlpack.to_dlpack(tf.constant([1.0, 2.0]))
    >>> tf.experimental.dlpack.from_dlpack(capsule).numpy()
    array([1., 2.], dtype=float32)
    """
    tensor = convert(tf_tensor)
    try:
        return tensor.__dlpack__()
    except BufferError:
        # a view on other elements, which capsules of this age cannot say that nobody may write to: the capsule has a copy
        return Tensor(np.array(tensor._array)).__dlpack__()


def from_dlpack(dlcapsule: Any) -> Tensor:
    """The tensor of another library's array, or of a capsule, without a copy: who changes that array changes the tensor.

    >>> import numpy as np
    >>> import tensorsmith as tf
    >>> tf.experimental.dlpack.from_dlpack(np.arange(3)).numpy()
    array([0, 1, 2])
    """
    source = dlcapsule if hasattr(dlcapsule, "__dlpack__") else _Capsule(dlcapsule)
    try:
        return Tensor(np.from_dlpack(source))
    except (BufferError, RuntimeError, TypeError):
        # bfloat16, of which NumPy's own reader knows nothing
        if not hasattr(dlcapsule, "__dlpack__"):
            raise
    from tensorsmith.program.execute import jax

    return Tensor(np.asarray(jax().numpy.from_dlpack(source)))
