"""Layer: settings, new weights, build, call, losses."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from tensorsmith.core import context, naming, nest
from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function.autograph import in_trace
from tensorsmith.function.trace import symbols_like, trace
from tensorsmith.keras import config, constraints, initializers, regularizers
from tensorsmith.keras.layers import calling, masks, node, remembered
from tensorsmith.keras.layers.build_shapes import as_lists, as_tensor_shapes
from tensorsmith.keras.layers.calling import current
from tensorsmith.keras.layers.weights import WeightHolder, changes
from tensorsmith.keras.variable import Variable
from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import divide
from tensorsmith.ops.shaping import shape
from tensorsmith.structures.specs import type_spec_from_value
from tensorsmith.tensor.tensor import Tensor, masked

_FLOAT32 = np.dtype("float32")
_PLAIN_INPUTS = frozenset({Tensor, np.ndarray})
_TRAINING = frozenset({"training"})


class Layer(WeightHolder):
    """A piece of a model: weights and what is computed with them.

    A subclass may write

        __init__(self, ..., **kwargs)   settings; passes `name`, `trainable`, `dtype` on
        build(self, input_shape)        makes the weights, with `self.add_weight`
        call(self, inputs)              the computation; may take `training`, `mask` and further arguments
        compute_mask(self, inputs, mask)   the mask of its results, where it is not that of its input
        compute_output_shape(self, input_shape)   where it cannot be found by running `call`
        get_config(self)                the settings, so that models that hold it can be saved

    and nothing else. Layers, variables, metrics and lists, tuples and dicts of them that stand in its
    attributes are found by themselves.

    >>> import tensorsmith as tf
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(name="factor", shape=(input_shape[-1],), initializer="ones")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale()(tf.constant([[2.0, 3.0]])).numpy()
    array([[2., 3.]], dtype=float32)
    """

    _weights: list[Variable]
    _inbound_nodes: list[node.Node]
    _auto_config: dict[str, Any]
    _added: Any
    _fast: bool
    _dynamic: bool

    # whether its results have the mask of its input, or what `compute_mask` makes of it
    supports_masking = False
    _makes_masks = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        layer = super().__new__(cls)
        # set here and not in __init__, so that a subclass may set attributes before it calls super().__init__()
        state = layer.__dict__
        state["_weights"] = []
        state["_auto_config"] = {"args": args, "kwargs": kwargs}
        state["_trainable"] = True
        state["built"] = False
        state["_fast"] = False
        state["_dynamic"] = False
        state["_inbound_nodes"] = []
        # the number of a call, and what add_loss was given in it
        state["_added"] = ()
        return layer

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("batch_input_shape", None) or kwargs.pop("batch_shape", None)
        if "input_shape" in kwargs:
            given = kwargs.pop("input_shape")
            given = (given,) if isinstance(given, int) else tuple(given)
            shape = (kwargs.pop("batch_size", None), *given)
        elif "input_dim" in kwargs:
            shape = (None, kwargs.pop("input_dim"))
        self._dynamic = bool(kwargs.pop("dynamic", False))
        for ignored in ("weights", "implementation", "batch_size", "input_dtype"):
            kwargs.pop(ignored, None)
        if kwargs.get("quantization_config", "") is None:
            # newer releases of Keras 3 write it into every config
            del kwargs["quantization_config"]
        if isinstance(dtype, dict):
            # the config of a policy, as Keras 3 writes it
            dtype = dtype["config"]["name"]
        if kwargs:
            raise TypeError(
                f"{type(self).__name__}.__init__() got unexpected arguments: {', '.join(map(repr, kwargs))}. "
                "A layer takes name, trainable, dtype, activity_regularizer, input_shape and its own settings."
            )
        self.name: str = str(name) if name else naming.unique(naming.snake_case(type(self).__name__))
        self._dtype = as_dtype(getattr(dtype, "name", dtype) or config.floatx())
        self._autocast = autocast
        self._trainable = bool(trainable)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec: Any = None
        if shape is not None:
            self._batch_input_shape = tuple(shape)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _building(cls.__dict__["build"])
        if "compute_mask" in cls.__dict__:
            cls._makes_masks = True
            if "supports_masking" not in cls.__dict__:
                cls.supports_masking = True

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if self.__dict__.get("built"):
            changes[0] += 1
            self.__dict__["_fast"] = False

    # ---- weights

    def add_weight(self, *args: Any, **kwargs: Any) -> Variable:
        """A new weight of this layer.

        Takes `add_weight(shape=(), initializer=None, dtype=None, trainable=True, regularizer=None,
        constraint=None, name=None)` and, as in Keras 2, the name first: `add_weight("kernel", [3, 2])`.
        The initializer is glorot_uniform for floats, zeros for all else, unless it is given.
        """
        order = ("name", "shape", "dtype", "initializer") if args and isinstance(args[0], str) else (
            "shape", "initializer", "dtype", "trainable")  # fmt: skip
        given: dict[str, Any] = dict(zip(order, args))
        given.update(kwargs)
        shape = given.pop("shape", None)
        name = given.pop("name", None) or f"weight_{len(self._weights)}"
        dtype = as_dtype(given.pop("dtype", None) or self._dtype)
        initializer = given.pop("initializer", None)
        if initializer is None:
            initializer = "glorot_uniform" if dtype.is_floating else "zeros"
        regularizer, constraint = given.pop("regularizer", None), given.pop("constraint", None)
        trainable = given.pop("trainable", True)
        for ignored in ("aggregation", "synchronization", "autocast", "use_resource", "overwrite", "partitioner",
                        "getter", "collections", "caching_device", "layout", "experimental_autocast"):  # fmt: skip
            given.pop(ignored, None)
        if given:
            raise TypeError(f"{self.name}.add_weight() got unexpected arguments: {', '.join(map(repr, given))}")
        shape = () if shape is None else TensorShape(shape)
        if None in shape:
            raise ValueError(
                f"The weight {name!r} of layer {self.name!r} ({type(self).__name__}) was given the shape {tuple(shape)}: "
                "every size of a weight must be known. Is the last size of the input known, as in keras.Input(shape=(8,))?"
            )
        variable = Variable(
            initializers.get(initializer),
            shape=tuple(shape),
            dtype=dtype,
            trainable=bool(trainable),
            name=name,
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
            path=f"{self.name}/{name}",
        )
        self._weights.append(variable)
        return variable

    add_variable = add_weight

    @property
    def dynamic(self) -> bool:
        """True where it, or a layer inside, was made with dynamic=True: its `call` is plain Python on values."""
        return any(layer._dynamic for layer in self._flatten_layers())

    @property
    def dtype(self) -> str:
        return self._dtype.name

    variable_dtype = compute_dtype = dtype

    @property
    def dtype_policy(self) -> Any:
        return self._dtype

    # ---- losses

    @property
    def losses(self) -> list[Any]:
        """What `add_loss` was given in the last call, and the penalties of all trained weights that have a regularizer."""
        found: list[Any] = []
        # what was added in the call under way, or in the last one of this layer
        number = current.number if current.depth else self.__dict__.get("_last_call")
        for layer in self._flatten_layers():
            if layer._added and layer._added[0] == number:
                found.extend(layer._added[1])
        for variable in self.trainable_weights:
            regularizer = getattr(variable, "regularizer", None)
            if regularizer is not None:
                found.append(in_trace(regularizer)(variable))
        return found

    def add_loss(self, losses: Any, **_: Any) -> None:
        """Adds a scalar, or a list of them, to the loss of the call under way."""
        if not self._added or self._added[0] != current.number:
            self.__dict__["_added"] = current.number, []
        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            value = loss() if callable(loss) and not isinstance(loss, Tensor) else loss
            self._added[1].append(value)

    # ---- building

    def build(self, input_shape: Any) -> None:
        """Makes the weights; a subclass that overrides it need not call this one."""
        self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build` was given, for saved files."""
        shapes = self.__dict__.get("_build_shapes")
        if shapes is None:
            return None
        return {"input_shape": as_lists(shapes)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds from what `get_build_config` gave."""
        if config and not self.built:
            shape = config.get("input_shape", config.get("shapes_dict"))
            if shape is not None:
                self._build(as_tensor_shapes(shape))

    def _build(self, shapes: Any) -> None:
        with context.eagerly(), naming.name_scope(self.name):
            made = len(self._weights)
            try:
                self.build(shapes)
            except Exception as error:
                # else a second try would leave the weights of both
                del self._weights[made:]
                error.add_note(f"in build of {self.name!r} ({type(self).__name__}), given input_shape={shapes}")
                raise
        self.built = True

    # ---- calling

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"The layer {type(self).__name__!r} has no `call` method: write `def call(self, inputs): ...` in it."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._fast and not kwargs and len(args) == 1 and current.depth:
            # inside another layer's call, built, with nothing to cast, mask or note
            x = args[0]
            if (
                type(x) is Tensor
                and x._array.dtype is _FLOAT32
                and (self._fast is True or self._fast(x._array.shape))
                and not (masked and x._keras_mask is not None)
            ):
                try:
                    return (self.call if context.local.graph is None else in_trace(self.call))(x)
                except Exception as error:
                    calling.add_note(error, self, x)
                    raise
        return self._full_call(args, kwargs)

    def _full_call(self, args: tuple, kwargs: dict) -> Any:
        dtype = self._dtype if self.__dict__.get("_autocast", True) and "_dtype" in self.__dict__ else None
        calling.require_constructed(self)
        accepted = calling.accepted(type(self))
        if len(args) > 1:
            args = accepted.by_name(args, kwargs)
        if len(args) == 1 and type(args[0]) in _PLAIN_INPUTS and kwargs.keys() <= _TRAINING:
            # one input that is no symbol, as in most calls: nothing nested to look into
            args = (calling.to_tensors(args[0], dtype),)
        else:
            # numbers and lists of them become tensors as the input alone: elsewhere they may be settings
            args = tuple(calling.to_tensors(a, dtype, numbers=at == 0) for at, a in enumerate(args))
            for at, (key, value) in enumerate(kwargs.items()):
                if key not in ("training", "mask"):
                    kwargs[key] = calling.to_tensors(value, dtype, numbers=at == 0 and not args)
            if node.has_drawn([args, kwargs]):
                return self._symbolic_call(args, kwargs)
        first = args[0] if args else next(iter(kwargs.values()), None)
        if self.input_spec is not None:
            from_spec(self, first)
        if not self.built:
            self._first_build(args, kwargs)
        outer_training = current.training
        training = kwargs.get("training")
        if training is None:
            training = outer_training
        if accepted.training:
            kwargs["training"] = bool(training) if training is not None else False
        else:
            kwargs.pop("training", None)
        mask = kwargs.pop("mask", None) if kwargs else None
        if mask is not None:
            mask = masks.as_tensors(mask)
        if masked:
            if mask is None:
                mask = masks.of(first)
            if accepted.masks:
                masks.fill(args, kwargs, accepted)
        if accepted.mask and mask is not None:
            kwargs["mask"] = mask
        if current.depth == 0:
            current.begin()
        self.__dict__["_last_call"] = current.number
        current.depth += 1
        current.training = training
        outer_part = context.local.part
        context.local.part = naming.below(outer_part, self.name)
        try:
            outputs = (self.call if self._dynamic else in_trace(self.call))(*args, **kwargs)
        except Exception as error:
            calling.add_note(error, self, first)
            raise
        finally:
            current.depth -= 1
            current.training = outer_training
            context.local.part = outer_part
        if self.activity_regularizer is not None:
            for output in nest.flatten(outputs):
                penalty = in_trace(self.activity_regularizer)(output)
                # per sample, so that its strength does not hang on the size of the batch
                self.add_loss(divide(penalty, cast(shape(output)[0], penalty.dtype)) if len(output.shape) else penalty)
        if self.supports_masking:
            if mask is not None or self._makes_masks:
                outputs = masks.hand_on(self, first, outputs, mask)
        elif mask is not None and not (accepted.mask or accepted.masks):
            masks.lost(self, outputs)
        if self._fast:
            return outputs
        fast: Any = (
            self.activity_regularizer is None
            and not (accepted.training or self._makes_masks)
            and self._dtype.name == "float32"
        )
        if fast and self.input_spec is not None:
            # what must be asked of the input's shape before each call
            spec = self.input_spec
            fast = False if isinstance(spec, (list, tuple)) or spec.dtype is not None else spec.fits
        self.__dict__["_fast"] = fast
        return outputs

    def _first_build(self, args: tuple, kwargs: dict) -> None:
        names = _shape_arguments(type(self).build)
        first = args[0] if args else next(iter(kwargs.values()), None)
        shapes = calling.shapes_of(first)
        self.__dict__["_build_shapes"] = shapes
        if len(names) < 2:
            self._build(shapes)
            return
        # Keras 3: build(self, query_shape, value_shape) names the arguments of call
        order = list(inspect.signature(self.call).parameters)
        given = {**dict(zip(order, args)), **kwargs}
        found = {
            n: calling.shapes_of(given[n.removesuffix("_shape")]) for n in names if n.removesuffix("_shape") in given
        }
        with context.eagerly(), naming.name_scope(self.name):
            self.build(**found)
        self.built = True

    def _symbolic_call(self, args: tuple, kwargs: dict) -> Any:
        args, kwargs = node.whole(args), node.whole(kwargs)
        outputs = self.compute_output_spec(*args, **kwargs)
        return node.connect(self, args, kwargs, outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """TensorSpecs of the results for symbolic arguments, found by running `call` once on symbols.

        A layer made with dynamic=True is asked for its `compute_output_shape` instead: its `call` needs values.
        """
        if self._dynamic and args:
            if not self.built:
                self._first_build(args, kwargs)
            shapes = self.compute_output_shape(calling.shapes_of(args[0]))
            return nest.map_structure(lambda shape: TensorSpec(shape, self._dtype), as_tensor_shapes(shapes))

        def body(graph: Any) -> Any:
            inner = [nest.map_structure(lambda leaf: _inner(graph, leaf), a) for a in args]
            named = {key: nest.map_structure(lambda leaf: _inner(graph, leaf), value) for key, value in kwargs.items()}
            return self._full_call(tuple(inner), named)

        outputs = trace(body).structure
        return nest.map_structure(_spec_of, outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result for a shape of the input."""
        specs = nest.map_structure(lambda shape: TensorSpec(shape, self._dtype), as_tensor_shapes(input_shape))
        outputs = trace(lambda graph: self._full_call((symbols_like(graph, specs),), {})).structure
        return nest.map_structure(lambda leaf: leaf.shape, outputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the result for inputs and their mask: the same one; a subclass that overrides it supports masking."""
        return mask

    # ---- the layer as data

    def get_config(self) -> dict[str, Any]:
        """The settings that its constructor takes.

        A subclass with settings of its own adds them: `{**super().get_config(), "units": self.units}`. One
        that does not is remembered by its constructor's arguments, where these are plain values.
        Raises NotImplementedError, with the lines to write, where they are not.
        """
        base: dict[str, Any] = {"name": self.name, "trainable": self._trainable, "dtype": self._dtype.name}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).__init__ is Layer.__init__ or remembered.tells_its_settings(type(self), Layer):
            return base
        return remembered.settings_of(self, base)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer from what `get_config` gave."""
        return cls(**config)

    @property
    def input(self) -> Any:
        return node.tensors_of(self, "input")

    @property
    def output(self) -> Any:
        return node.tensors_of(self, "output")

    @property
    def input_shape(self) -> Any:
        return nest.map_structure(lambda t: t.shape, self.input)

    @property
    def output_shape(self) -> Any:
        return nest.map_structure(lambda t: t.shape, self.output)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _building(method: Any) -> Any:
    """A user's `build`, after which the layer counts as built, whether or not it called super().build()."""

    @functools.wraps(method)
    def build(self: Any, *args: Any, **kwargs: Any) -> Any:
        args = tuple(as_tensor_shapes(a) for a in args)
        if args and "_build_shapes" not in self.__dict__:
            self.__dict__["_build_shapes"] = args[0]
        result = method(self, *args, **kwargs)
        self.built = True
        return result

    return build


def _inner(graph: Any, leaf: Any) -> Any:
    """What stands for an argument while the layer is traced."""
    if not node.is_drawn(leaf):
        return leaf
    if nest.is_composite(leaf):
        return leaf._from_parts([graph.input(part.shape, part.dtype) for part in leaf._parts()])
    inner = graph.input(leaf.shape, leaf.dtype)
    if leaf._keras_mask is not None:
        inner._keras_mask = graph.input(leaf._keras_mask.shape, leaf._keras_mask.dtype)
    return inner


def _spec_of(leaf: Any) -> Any:
    """What a result of a trace is without values; what is no tensor, as it is."""
    if nest.is_composite(leaf):
        return type_spec_from_value(leaf)
    if not hasattr(leaf, "shape"):
        return leaf
    mask = masks.of(leaf)
    return TensorSpec(leaf.shape, leaf.dtype) if mask is None else masks.MaskedSpec(leaf, mask)


def _shape_arguments(build: Any) -> list[str]:
    return [n for n in inspect.signature(build).parameters if n.endswith("_shape")]


def from_spec(layer: Layer, inputs: Any) -> None:
    """ValueError unless the inputs are what the layer's `input_spec` demands."""
    specs = layer.input_spec if isinstance(layer.input_spec, (list, tuple)) else [layer.input_spec]
    given = nest.flatten(inputs)
    if len(specs) != len(given):
        raise ValueError(
            f"Layer {layer.name!r} expects {len(specs)} input(s), but it received {len(given)} input tensors: {describe(given)}."
        )
    for at, (spec, tensor) in enumerate(zip(specs, given)):
        if spec is not None and hasattr(tensor, "shape"):
            spec.check(layer, at, tuple(tensor.shape), tensor.dtype)
