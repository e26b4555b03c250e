"""Layers that stand for what is done to symbolic inputs outside any layer: operations, ragged and sparse tensors taken apart."""

from __future__ import annotations

import inspect
from typing import Any

from tensorsmith.core import naming, nest, ports
from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import explain
from tensorsmith.keras import registry as configs
from tensorsmith.keras.layers import node
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.drawn import DrawnRagged, DrawnSparse
from tensorsmith.program.op import Op, registry
from tensorsmith.public import keras_ops
from tensorsmith.structures.ragged import RaggedTensor
from tensorsmith.tensor.apply import apply, plain
from tensorsmith.tensor.convert import convert


class Operation(Layer):
    """Applies one operation by its name; what `keras.Input(...) * 2` puts into a model.

    op         the operation, or its name.
    settings   its settings.
    """

    def __init__(self, op: Op | str, settings: dict | None = None, **kwargs: Any) -> None:
        self.op: Op = registry[op] if isinstance(op, str) else op
        kwargs.setdefault("name", naming.unique(self.op.name))
        super().__init__(autocast=False, **kwargs)
        self.settings = {key: _setting(key, value) for key, value in (settings or {}).items()}
        self.built = True

    def call(self, *arguments: Any) -> Any:
        if len(arguments) == 1 < len(self.op.arrays):
            # a file in the form of Keras 2 has all that a layer is called on as one list
            arguments = tuple(arguments[0])
        return apply(self.op, arguments, self.settings)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: as everywhere, the result of an operation has no mask."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "op": self.op.name, "settings": self.settings}


class OpsFunction(Layer):
    """Applies a function of `keras.ops`: what a model that Keras 3 wrote has where an operation was called on symbols.

    function  its name.
    settings  the arguments that are no tensors, by name.
    source    the module and the class under which Keras writes it.

    >>> import tensorsmith as tf
    >>> OpsFunction("not_equal")(tf.constant([0, 3]), 0).numpy()
    array([False,  True])
    """

    def __init__(self, function: str, settings: dict | None = None, source: Any = (), **kwargs: Any) -> None:
        if function not in keras_ops.__all__:
            raise ValueError(explain("OpsFunction", "keras.ops has no such function", {"function": function}))
        super().__init__(autocast=False, **kwargs)
        self.function, self.settings, self.source = function, dict(settings or {}), list(source)
        self.built = True

    def call(self, *arguments: Any, **named: Any) -> Any:
        function, settings = getattr(keras_ops, self.function), dict(self.settings)
        takes = inspect.signature(function).parameters
        settings = {key: value for key, value in settings.items() if key in takes or value is not None}
        if next(iter(takes)) in settings:
            # einsum is told its letters before the tensors
            arguments = (settings.pop(next(iter(takes))), *arguments)
        return function(*arguments, **settings, **named)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: as everywhere, the result of an operation has no mask."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "function": self.function, "settings": self.settings, "source": self.source}


def _setting(key: str, value: Any) -> Any:
    """A setting as its kernel takes it: a file has lists for tuples, and dtypes by name."""
    if key.endswith("type") and isinstance(value, str):
        return as_dtype(value).numpy_dtype
    return plain(value, key)


class TakeApart(Layer):
    """The tensors that a ragged or sparse tensor is made of, as a list.

    Ragged: flat values, then row splits from the outermost on. Sparse: indices, values, dense shape.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.built = True

    def call(self, inputs: Any) -> list[Any]:
        return list(inputs._parts())


class PutTogether(Layer):
    """The ragged or sparse tensor of a spec that is made of a list of tensors: what `TakeApart` takes apart.

    spec  a RaggedTensorSpec or SparseTensorSpec.
    """

    def __init__(self, spec: Any, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.spec = configs.deserialize_keras_object(spec) if isinstance(spec, dict) else spec
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.spec._from_parts(list(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "spec": self.spec}


def _drawn_operation(op: Op, arguments: tuple, settings: dict) -> Any:
    """An operation that meets a ragged or sparse tensor of a drawing: one layer, which does to values what the operation does."""
    if op.name == "shape" and isinstance(arguments[0], DrawnRagged):
        # no tensor, but an object that tells the sizes of rows
        return ports.lifters[RaggedTensor](op, arguments, settings)
    dtype = next(a.dtype for a in nest.flatten(list(arguments)) if isinstance(a, (DrawnRagged, DrawnSparse)))
    shared = op.same is True
    given = [
        convert(a, None, dtype.numpy_dtype if shared else None) if isinstance(a, (bool, int, float, complex)) else a
        for a in arguments
    ]
    return Operation(op, settings)(*given)


for kind in (DrawnRagged, DrawnSparse):
    ports.lifters[kind] = _drawn_operation
ports.by_element[DrawnRagged] = ports.by_element[RaggedTensor]
node.maker("operation", Operation)
node.maker("parts", lambda name: TakeApart(name=naming.unique(f"{name}_parts")))
node.maker("whole", PutTogether)
