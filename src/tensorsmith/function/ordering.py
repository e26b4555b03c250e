"""no_op, group, tuple, control_dependencies: what orders operations in TensorFlow's graphs; programs here run in order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.composites import is_composite
from tensorsmith.ops.casting import identity


def no_op(name: str | None = None) -> None:
    """Nothing: stands where an operation is asked for.

    >>> import tensorsmith as tf
    >>> tf.no_op() is None
    True
    """


def group(*inputs: Any, name: str | None = None) -> None:
    """One thing for several operations, all of which have run by then: None.

    >>> import tensorsmith as tf
    >>> v = tf.Variable(1.0)
    >>> tf.group(v.assign_add(1.0), v.assign_add(2.0)) is None
    True
    """


def identity_n(input: Any, name: str | None = None) -> list[Any]:
    """A list of the tensors, each as it is.

    >>> import tensorsmith as tf
    >>> [t.numpy().item() for t in tf.identity_n([tf.constant(1), tf.constant(2.0)])]
    [1, 2.0]
    """
    return [identity(tensor) for tensor in input]


def tuple_(tensors: Any, control_inputs: Any = None, name: str | None = None) -> list[Any]:
    """A list of the tensors (None where there is None), when all of them and `control_inputs` have been computed.

    Raises ValueError where there is no tensor.

    >>> import tensorsmith as tf
    >>> len(tf.tuple([tf.constant(1), None]))
    2
    """
    if all(tensor is None for tensor in tensors):
        raise ValueError(explain("tuple", "there is no tensor", {"tensors": describe(list(tensors))}))
    return [t if t is None or is_composite(t) else identity(t) for t in tensors]


@contextlib.contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """A block whose operations run after `control_inputs`, as all operations run after those written before them.

    control_inputs  tensors, or functions that are called at once, as TensorFlow does eagerly; None for none.

    >>> import tensorsmith as tf
    >>> v = tf.Variable(1.0)
    >>> with tf.control_dependencies([v.assign(5.0)]):
    ...     print(tf.identity(v).numpy())
    5.0
    """
    for control in nest.flatten(control_inputs) if control_inputs is not None else []:
        if callable(control) and not hasattr(control, "dtype"):
            control()
    yield
