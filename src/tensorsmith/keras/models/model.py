"""Model: a Layer that trains and saves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TensorSpec, TypeSpec
from tensorsmith.keras import registry
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.build_shapes import as_tensor_shapes
from tensorsmith.keras.models import summary as table
from tensorsmith.keras.models.conforming import any_batch
from tensorsmith.keras.training.trainer import Trainer


class Model(Trainer):
    """A layer that trains, predicts and saves.

    Made from symbols, `keras.Model(inputs, outputs)`, or by subclassing: layers in attributes, the computation
    in `call(self, inputs)`. A subclass may also write `train_step(self, data)`, `test_step`, `predict_step`
    and `compute_loss`, which are traced and compiled like the built-in ones.
    """

    _set_graph: Callable[[Any, Any], None]  # where it is Functional

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made: Any = cls
        if cls is Model and (len(args) >= 2 or "outputs" in kwargs):
            from tensorsmith.keras.models.functional import Functional

            made = Functional
        model = super().__new__(made, *args, **kwargs)
        model._prepare()
        return model

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and not hasattr(self, "name") and len(args) >= 2:
            # a subclass passes symbols up: super().__init__(inputs, outputs)
            kwargs.update(inputs=args[0], outputs=args[1])
            args = args[2:]
        inputs, outputs = kwargs.pop("inputs", None), kwargs.pop("outputs", None)
        super().__init__(*args, **kwargs)
        if outputs is not None:
            self._become_functional(inputs, outputs)

    def _become_functional(self, inputs: Any, outputs: Any) -> None:
        from tensorsmith.keras.models.functional import Functional

        if not isinstance(self, Functional):
            # the user's class stays first, so that its own train_step and call win
            mixed = type(
                type(self).__name__, (cast(Any, type(self)), Functional), {"__module__": type(self).__module__}
            )
            self.__class__ = mixed
        self._set_graph(inputs, outputs)

    @property
    def layers(self) -> list[Layer]:
        """The layers right inside."""
        return self._children()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place; ValueError when there is none."""
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"The model {self.name!r} has {len(layers)} layers; there is none at index {index}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name!r}. The model {self.name!r} has {[layer.name for layer in layers]}.")

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Prints the table of layers: name and class, output shape, number of weights."""
        (print_fn or print)(table.text(self, line_length, show_trainable))

    def save(self, filepath: Any, overwrite: bool = True, save_format: str | None = None, **kwargs: Any) -> None:
        """Writes the model to a file: `.keras`, `.h5`, or a folder where the path has no ending."""
        from tensorsmith.keras.saving import entry

        entry.save_model(self, filepath, overwrite=overwrite, save_format=save_format, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Writes the weights to a file."""
        from tensorsmith.keras.saving import entry

        entry.save_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False, **kwargs: Any) -> Any:
        """Sets the weights from a file; nothing changes when they do not fit."""
        from tensorsmith.keras.saving import entry

        return entry.load_weights(self, filepath, skip_mismatch=skip_mismatch, by_name=by_name, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as text."""
        import json

        return json.dumps(registry.serialize_keras_object(self), **kwargs)

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: Any = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Writes how the model predicts, to be run without the Python code that made it.

        format           "tf_saved_model": a folder, read by `tf.saved_model.load(path).serve(x)`; "onnx": a file that
                         onnxruntime runs; "stablehlo": one that `jax.export.deserialize` reads.
        verbose          False: does not say where it was written.
        input_signature  TensorSpecs of the inputs; by default those that the model was built for, of any batch size.

        Raises ValueError for an unknown format, and before the model knows its inputs.
        """
        from tensorsmith.keras.models import exporting

        exporting.export(self, filepath, format, verbose, input_signature, **kwargs)

    def _saved_parts(self) -> dict[str, Any]:
        """What of it a saved model holds."""
        from tensorsmith.keras.models import exporting

        return {**super()._saved_parts(), **exporting.functions(self)}

    def _serving(self, input_signature: Any = None) -> Any:
        """How it predicts, as a traced function."""
        from tensorsmith.keras.models import exporting

        return exporting.serving(self, input_signature)

    def _saved_functions(self) -> dict[str, Any]:
        """The signatures of a saved model."""
        from tensorsmith.keras.models import exporting

        serve = exporting.serving(self)
        return {"serve": serve, "serving_default": serve}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A new model from what `get_config` gave."""
        if cls is Model and "layers" in config:
            from tensorsmith.keras.models.functional import Functional

            return Functional.from_config(config, custom_objects)
        if custom_objects:
            with registry.CustomObjectScope(custom_objects):
                return cls(**config)
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """What it was built for; where that was ragged or sparse tensors, also their specs."""
        config, seen = super().get_build_config(), self.__dict__.get("_seen_inputs")
        if config is not None and any(
            isinstance(leaf, TypeSpec) and nest.is_composite(leaf) for leaf in nest.flatten(seen)
        ):
            config["inputs"] = registry.serialize_keras_object(seen)
        return config

    def build_from_config(self, config: dict[str, Any]) -> None:
        if config and not self.built:
            if "inputs" in config:
                self._build_by_specs(registry.deserialize_keras_object(config["inputs"]))
                return
            shape = config.get("input_shape", config.get("shapes_dict"))
            if shape is not None:
                self._build_by_call(shape)

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights, by running `call` on symbols of this shape."""
        if input_shape is not None and not self.built:
            # the call must not build again a model whose own `build` ends in super().build(input_shape)
            self.built = True
            try:
                self._build_by_call(input_shape)
            except BaseException:
                self.built = False
                raise
        self.built = True

    def _build_by_call(self, shape: Any) -> None:
        specs = nest.map_structure(lambda s: TensorSpec([None, *tuple(s)[1:]], self._dtype), as_tensor_shapes(shape))
        self.__dict__.setdefault("_build_shapes", as_tensor_shapes(shape))
        self._build_by_specs(specs)

    def _build_by_specs(self, specs: Any) -> None:
        """Runs `call` on symbols of these specs."""
        from tensorsmith.function.trace import symbols_like, trace

        trace(lambda graph: self._full_call((symbols_like(graph, specs),), {}))

    def _input_signature(self) -> tuple[Any, ...]:
        """Specs of what the model is called with, of any batch size. Raises ValueError before it is built."""
        drawn = getattr(self, "_input_structure", None)
        if drawn is None:
            drawn = getattr(self, "inputs", None)
            drawn = drawn[0] if isinstance(drawn, list) and len(drawn) == 1 else drawn
        if drawn is None:
            drawn = self.__dict__.get("_seen_inputs")
        if drawn is None:
            raise ValueError(
                explain(
                    self.name,
                    "the shape of its inputs is not known yet",
                    rule="a model is traced for inputs of a shape",
                    way_out="Call it on data once, or model.build(input_shape).",
                )
            )
        return (any_batch(drawn, named=True),)

    def _first_build(self, args: tuple, kwargs: dict) -> None:
        # the layers inside build themselves as call reaches them
        from tensorsmith.keras.layers import calling

        first = args[0] if args else next(iter(kwargs.values()))
        self.__dict__["_build_shapes"] = calling.shapes_of(first)
        self.__dict__["_seen_inputs"] = any_batch(first)
        if type(self).build is not Model.build:
            self._build(self.__dict__["_build_shapes"])
        self.built = True
