"""Input and the InputSpec a layer may demand."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec
from tensorsmith.keras import config, registry
from tensorsmith.keras.layers import node
from tensorsmith.keras.layers.base import Layer
from tensorsmith.structures.specs import RaggedTensorSpec, SparseTensorSpec
from tensorsmith.tensor.tensor import Tensor


class InputSpec:
    """What a layer demands of an input: rank, sizes of axes, dtype."""

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}

    def fits(self, shape: tuple[int, ...]) -> bool:
        """True for the shapes that `check` lets through."""
        rank = len(shape)
        if self.min_ndim is not None and rank < self.min_ndim:
            return False
        for axis, size in self.axes.items():
            if size is not None and -rank <= axis < rank and shape[axis] != size:
                return False
        if self.ndim is not None and rank != self.ndim or self.max_ndim is not None and rank > self.max_ndim:
            return False
        return self.shape is None or all(wanted in (None, found) for wanted, found in zip(self.shape, shape))

    def check(self, layer: Any, at: int, shape: tuple[int | None, ...], dtype: Any) -> None:
        """ValueError, naming the layer, unless a tensor of this shape and dtype may come in."""
        start = f"Input {at} of layer {layer.name!r} ({type(layer).__name__}) is incompatible with the layer: "
        end = f"received an input of shape {shape}."
        if self.ndim is not None and len(shape) != self.ndim:
            raise ValueError(f"{start}expected ndim={self.ndim}, found ndim={len(shape)}; {end}")
        if self.max_ndim is not None and len(shape) > self.max_ndim:
            raise ValueError(f"{start}expected max_ndim={self.max_ndim}, found ndim={len(shape)}; {end}")
        if self.min_ndim is not None and len(shape) < self.min_ndim:
            raise ValueError(f"{start}expected min_ndim={self.min_ndim}, found ndim={len(shape)}; {end}")
        if self.dtype is not None and as_dtype(self.dtype) is not as_dtype(dtype):
            raise ValueError(f"{start}expected dtype={as_dtype(self.dtype).name}, found dtype={dtype.name}; {end}")
        for axis, size in self.axes.items():
            if size is not None and -len(shape) <= axis < len(shape) and shape[axis] not in (size, None):
                raise ValueError(f"{start}expected axis {axis} of the input to have size {size}; {end}")
        if self.shape is not None:
            for wanted, found in zip(self.shape, shape):
                if wanted is not None and found is not None and wanted != found:
                    raise ValueError(f"{start}expected shape={self.shape}; {end}")


class InputLayer(Layer):
    """The layer that stands for an input of a model; `keras.Input` makes one and gives its output."""

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        batch_shape: Any = None,
        name: str | None = None,
        input_tensor: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        type_spec: Any = None,
        **kwargs: Any,
    ) -> None:
        batch_shape = batch_shape or kwargs.pop("batch_input_shape", None)
        if shape is None and "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        for ignored in ("optional", "tensor", "trainable"):
            kwargs.pop(ignored, None)
        super().__init__(name=name, **kwargs)
        told = {"shape": shape, "batch_shape": batch_shape, "batch_size": batch_size, "dtype": dtype,
                "sparse": sparse, "ragged": ragged}  # fmt: skip
        self._spec = _spec(told) if type_spec is None else _given(type_spec, told)
        self.batch_shape = tuple(self._spec.shape)
        self._input_dtype = self._dtype = self._spec.dtype
        self.ragged, self.sparse = isinstance(self._spec, RaggedTensorSpec), isinstance(self._spec, SparseTensorSpec)
        self.built = True
        # no axis is ragged: what stands for its values is a tensor
        plain = self._spec.value_type is Tensor
        node.connect(self, (), {}, TensorSpec(self.batch_shape, self._input_dtype) if plain else self._spec)

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        kind = {"ragged": True} if self.ragged else {"sparse": True} if self.sparse else {}
        if self._spec != _spec({"batch_shape": self.batch_shape, "dtype": self._input_dtype, **kind}):
            return {"type_spec": self._spec, "name": self.name}
        return {"batch_shape": list(self.batch_shape), "dtype": self._input_dtype.name, **kind, "name": self.name}


def _spec(told: dict[str, Any]) -> Any:
    """What an input is, told by shape, dtype and kind."""
    sparse, ragged = told.get("sparse"), told.get("ragged")
    if sparse and ragged:
        raise ValueError(
            explain("keras.Input", "it cannot be sparse and ragged at once", {"sparse": True, "ragged": True})
        )
    sizes = told["batch_shape"]
    if sizes is None:
        shape = told["shape"]
        if shape is None:
            raise ValueError("An Input needs a shape: keras.Input(shape=(8,)) for rows of 8 features.")
        sizes = (told["batch_size"], *((shape,) if isinstance(shape, int) else tuple(shape)))
    sizes, dtype = tuple(TensorShape(sizes)), as_dtype(told["dtype"] or config.floatx())
    if sparse:
        return SparseTensorSpec(sizes, dtype)
    if ragged:
        # up to the last axis of unknown size: (None, None, 4) is ragged along one axis
        rank = max([axis for axis, size in enumerate(sizes) if axis and size is None], default=0)
        return RaggedTensorSpec(sizes, dtype, rank)
    return TensorSpec(sizes, dtype)


def _given(spec: Any, told: dict[str, Any]) -> Any:
    """A spec that tells all by itself. Raises ValueError where something else is told, TypeError for another kind of spec."""
    spec = registry.deserialize_keras_object(spec) if isinstance(spec, dict) else spec
    if not isinstance(spec, (TensorSpec, RaggedTensorSpec, SparseTensorSpec)):
        raise TypeError(
            explain("keras.Input", "type_spec is no spec of a tensor", {"type_spec": repr(spec)},
                    "it takes a TensorSpec, RaggedTensorSpec or SparseTensorSpec")
        )  # fmt: skip
    also = [name for name, value in told.items() if value is not None]
    if also:
        raise ValueError(
            explain("keras.Input", "type_spec tells all, and something else was given", {"given": ", ".join(also)},
                    way_out=f"Leave out {', '.join(also)}.")
        )  # fmt: skip
    if spec.shape.rank is None:
        raise ValueError(explain("keras.Input", "the rank of an input must be known", {"type_spec": repr(spec)}))
    return spec


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    ragged: bool | None = None,
    type_spec: Any = None,
    **kwargs: Any,
) -> Any:
    """A symbolic input of a model.

    shape      sizes of one sample, None where they may change; the batch is not named.
    dtype      "float32" by default.
    ragged     True: it stands for a RaggedTensor, ragged up to its last size of None.
    sparse     True: it stands for a SparseTensor.
    type_spec  a TensorSpec, RaggedTensorSpec or SparseTensorSpec of a batch, in place of all these.

    Raises ValueError without a shape, and where two of them tell of different kinds.

    >>> Input(shape=(8,)).shape
    TensorShape([None, 8])
    >>> Input(shape=(None, 4), ragged=True).ragged_rank
    1
    """
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, batch_shape=batch_shape, name=name, sparse=sparse,
        ragged=ragged, type_spec=type_spec, **kwargs,
    )  # fmt: skip
    return layer._inbound_nodes[0].outputs
