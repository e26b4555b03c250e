"""Configs of both Keras generations become one form: that of Keras 3.

The form in which a file says things (batch_input_shape or batch_shape, lists or objects for the calls of layers,
a name or an object for a dtype) is settled here; what the words mean is the registry's.
"""

from __future__ import annotations

import inspect
from typing import Any, TypeGuard

from tensorsmith.core import naming
from tensorsmith.exchange.safety import quoted, refusal
from tensorsmith.keras import registry
from tensorsmith.public import keras_ops

# what one generation writes and this library has no setting for, with the value at which nothing is lost
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "implementation": (0, 1, 2),
    "time_major": (False,),
    "renorm_momentum": (0.99,),
    "jit_compile": (True, False),
    "is_legacy_optimizer": (True, False),
    "decay": (0, 0.0),
    "initial_decay": (0, 0.0),
    "sparse": (False,),
    "ragged": (False,),
    "optional": (False,),
    "synchronized": (False,),
    "renorm": (False,),
    "rms_scaling": (False,),
    "zero_output_for_mask": (False,),
    "autocast": (True,),
    "trainable": (True,),
    "experimental": (False,),
    "fused": (True, False),
    "virtual_batch_size": (None,),
    "ema_overwrite_frequency": (100,),
}
# where Keras 3 has the classes of the operations that were called on symbols
_OPERATIONS = "keras.src.ops."
_COMPILE = (
    "optimizer",
    "loss",
    "metrics",
    "loss_weights",
    "weighted_metrics",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
)


class Normaliser:
    """Puts the configs of one file into the common form.

    generation  2 or 3: which Keras wrote it.
    custom      names that the caller gave objects for; a Lambda layer of such a name gets that function.
    """

    def __init__(self, generation: int, file: Any, custom: dict[str, Any] | None = None) -> None:
        self.generation, self.file, self.custom = generation, file, custom or {}

    # ---- the model

    def model(self, config: Any) -> dict[str, Any]:
        """The serialized model: `{"class_name", "config", ...}` with every part below in the common form."""
        if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
            raise refusal(self.file, f"it describes no model: {quoted(config)}", "config")
        return self.object(config)

    def object(self, entry: dict[str, Any]) -> dict[str, Any]:
        """One serialized object: a layer, a model, an initializer, ..."""
        name, config = entry.get("class_name"), entry.get("config")
        if name == "Sequential" and isinstance(config, list):
            config = {"layers": config}  # Keras up to 2.2.2
        if not isinstance(config, dict):
            return entry
        if name in ("Model", "Functional") and "layers" in config:
            name, config = "Functional", self.functional(config)
        elif isinstance(config.get("layers"), list) and "input_layers" in config:
            config = self.functional(config)
        elif isinstance(config.get("layers"), list):
            config = {**config, "layers": [self.layer(each) for each in config["layers"]]}
        config = {key: self.value(key, value) for key, value in config.items()}
        if name == "InputLayer" and "batch_input_shape" in config:
            config["batch_shape"] = config.pop("batch_input_shape")
        if name == "Sequential" and isinstance(config.get("layers"), list):
            config = self.sequential(config)
        if name == "BatchNormalization" and isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
            config["axis"] = config["axis"][0]
        if name == "Lambda":
            config = self.lambda_layer(config, entry)
        return {**entry, "class_name": name, "config": self.accepted(name, config)}

    def layer(self, entry: Any) -> dict[str, Any]:
        if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
            raise refusal(self.file, f"it is no layer: {quoted(entry)}", "config, layers")
        # how a model inside was compiled does not matter any more; and a layer is a layer whatever module wrote it
        entry = {key: value for key, value in entry.items() if key != "compile_config"}
        function = naming.snake_case(entry["class_name"])
        if self.is_operation(entry) and function in keras_ops.__all__:
            settings = entry["config"] if isinstance(entry.get("config"), dict) else {}
            config = {
                "name": settings.get("name"),
                "function": function,
                # a dtype that is an object is that of a layer
                "settings": {
                    k: v for k, v in settings.items() if k != "name" and not (k == "dtype" and isinstance(v, dict))
                },
                "source": [entry.get("module", f"{_OPERATIONS}numpy"), entry["class_name"]],
            }
            entry = {**entry, "class_name": "OpsFunction", "registered_name": None, "config": config}
        return {**self.object(entry), "module": "keras.layers"}

    def is_operation(self, entry: dict[str, Any]) -> bool:
        """Whether Keras 3 means an operation on symbols by a layer; legacy files do not name its module."""
        module, name = entry.get("module"), entry["class_name"]
        if isinstance(module, str):
            return module.startswith(_OPERATIONS)
        return self.generation == 3 and name not in self.custom and registry.find("layer", name) is None

    def value(self, key: str, value: Any) -> Any:
        if key == "layers":
            return value
        if isinstance(value, dict):
            if key == "dtype" or value.get("class_name") in ("DTypePolicy", "Policy"):
                policy = value.get("config")
                return policy.get("name", "float32") if isinstance(policy, dict) else value
            if value.get("class_name") == "TypeSpec":
                return _spec(value)
            if "class_name" in value and isinstance(value.get("config"), dict):
                return self.object(value)
            return {inner: self.value(inner, part) for inner, part in value.items()}
        if isinstance(value, list):
            return [self.value("", part) for part in value]
        return value

    def sequential(self, config: dict[str, Any]) -> dict[str, Any]:
        """An Input says the shape once; Keras 2 repeats it in the first layer."""
        layers = config["layers"]
        if layers and layers[0]["class_name"] == "InputLayer":
            for entry in layers[1:]:
                if isinstance(entry.get("config"), dict):
                    entry["config"].pop("batch_input_shape", None)
        return config

    def lambda_layer(self, config: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
        """A Lambda's code is never read: the function comes from the caller, by the layer's name."""
        function = config.get("function")
        is_code = isinstance(function, list) or (
            isinstance(function, dict) and function.get("class_name") == "__lambda__"
        )
        for name in (config.get("name"), "lambda"):
            if is_code and name in self.custom:
                config["function"] = {
                    "module": "builtins", "class_name": "function", "config": name, "registered_name": "function",
                }  # fmt: skip
                break
        else:
            if is_code:
                config["function"] = self.code(function, config.get("name"))
            elif isinstance(function, str) and config.get("function_type") == "function":
                config["function"] = {
                    "module": "builtins", "class_name": "function", "config": function, "registered_name": "function",
                }  # fmt: skip
        for key in ("function_type", "module", "output_shape_type", "output_shape_module"):
            config.pop(key, None)
        if config.get("output_shape") is None:
            config.pop("output_shape", None)
        return config

    def code(self, function: Any, name: Any) -> Any:
        """Refuses a stored lambda, showing its text: nothing that stands in a file is run, whatever `safe_mode` says."""
        stored = function.get("config") if isinstance(function, dict) else None
        source = stored.get("source") if isinstance(stored, dict) else None
        kind = "as text" if isinstance(source, str) and source else "as bytecode"
        raise refusal(
            self.file,
            f"it holds Python code ({kind}), which is not run",
            f"Lambda layer {quoted(name)!r}",
            f'Give the function itself: load_model(..., custom_objects={{"{quoted(name, 60)}": function}}).'
            + (f" The code reads: {quoted(source)}" if isinstance(source, str) and source else ""),
        )

    def accepted(self, name: Any, config: dict[str, Any]) -> dict[str, Any]:
        """The config without what a built-in class has no argument for, where nothing is lost by that."""
        cls = registry.find(None, name) if isinstance(name, str) else None
        known = None if cls is None or not inspect.isclass(cls) or name in self.custom else _arguments(cls)
        if known is None:
            # a user's class takes what it wrote; the keys that Keras itself adds are dropped when they say nothing
            return {
                k: v
                for k, v in config.items()
                if v is not None or k not in ("quantization_config", "activity_regularizer")
            }

        def silent(key: str, value: Any) -> bool:
            return value is None or any(value is one or value == one for one in _WITHOUT_EFFECT.get(key, ()))

        return {key: value for key, value in config.items() if key in known or not silent(key, value)}

    # ---- the calls of layers

    def functional(self, config: dict[str, Any]) -> dict[str, Any]:
        """Layers with their calls as `{"args", "kwargs"}`, each call numbered from 0."""
        if not isinstance(config.get("layers"), list):
            raise refusal(self.file, "its layers are no list", "config")
        models, first = set(), {}
        for entry in config["layers"]:
            if isinstance(entry, dict) and isinstance(entry.get("config"), dict) and "layers" in entry["config"]:
                models.add(_name(entry))
        for name, number in self._references(config):
            if name in models:
                first[name] = min(first.get(name, number), number)
        self.first = first
        layers = []
        for entry in config["layers"]:
            first = self.first
            made = self.layer(entry)
            self.first = first  # a model inside has set its own meanwhile
            nodes = made.get("inbound_nodes", [])
            if not isinstance(nodes, list):
                raise refusal(self.file, "its calls are no list", f"layer {quoted(_name(entry))!r}")
            calls = [_unsaid(made, self.node(node)) for node in nodes]
            layers.append({**made, "name": _name(entry), "inbound_nodes": calls})
        result = {**config, "layers": layers}
        for key in ("input_layers", "output_layers"):
            if key not in config:
                raise refusal(self.file, f"it has no {key}", "config")
            result[key] = self.place(config[key])
        return result

    def _references(self, config: dict[str, Any]) -> list[tuple[str, int]]:
        """Every (layer, number of its call) that the calls of layers and the outputs name."""
        found = []
        stack = [config.get("input_layers"), config.get("output_layers")]
        stack += [entry.get("inbound_nodes") for entry in config["layers"] if isinstance(entry, dict)]
        while stack:
            part = stack.pop()
            if _is_reference(part):
                found.append((part[0], part[1]))
                stack += part[3:]
            elif isinstance(part, dict):
                stack += part.values()
            elif isinstance(part, list):
                stack += part
        return found

    def reference(self, part: list[Any]) -> list[Any]:
        # a model used as a layer counts its own drawing as call 0 in Keras 2
        return [part[0], part[1] - self.first.get(part[0], 0), part[2]]

    def place(self, part: Any) -> Any:
        if _is_reference(part):
            return self.reference(part)
        if isinstance(part, dict):
            return {key: self.place(value) for key, value in part.items()}
        if isinstance(part, list):
            return [self.place(value) for value in part]
        raise refusal(self.file, f"{quoted(part)} names no result of a layer", "config")

    def node(self, node: Any) -> dict[str, Any]:
        if isinstance(node, dict) and "args" in node:
            return {"args": self.argument(node["args"]), "kwargs": self.argument(node.get("kwargs") or {})}
        # Keras 2: [[layer, call, result, kwargs], ...]; one alone is the argument itself
        kwargs: dict[str, Any] = {}

        def tensors(part: Any) -> Any:
            if _is_reference(part):
                if len(part) > 3 and isinstance(part[3], dict):
                    kwargs.update(part[3])
                return self.tensor(part)
            if isinstance(part, dict):
                return {key: tensors(value) for key, value in part.items()}
            if isinstance(part, list):
                return [tensors(value) for value in part]
            return part

        found = tensors(node)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        return {"args": [found], "kwargs": {key: self.argument(value) for key, value in kwargs.items()}}

    def tensor(self, part: list[Any]) -> dict[str, Any]:
        return {"class_name": "__keras_tensor__", "config": {"keras_history": self.reference(part)}}

    def argument(self, value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            config = value.get("config")
            history = config.get("keras_history") if isinstance(config, dict) else None
            if not isinstance(config, dict) or not _is_reference(history):
                raise refusal(self.file, f"{quoted(history)} names no result of a layer", "config")
            return {**value, "config": {**config, "keras_history": self.reference(history)}}
        if isinstance(value, dict):
            return {key: self.argument(part) for key, part in value.items()}
        if self.generation == 2 and _is_reference(value):
            return self.tensor(value)
        if self.generation == 2 and isinstance(value, list) and len(value) == 3 and value[0] == "_CONSTANT_VALUE":
            return value[2]
        return [self.argument(part) for part in value] if isinstance(value, list) else value

    # ---- compile

    def compile(self, config: Any) -> dict[str, Any]:
        """The arguments of `compile`, out of a training_config or compile_config."""
        if not isinstance(config, dict):
            raise refusal(self.file, f"it is no compile config: {quoted(config)}", "training_config")
        given = {**config}
        if "optimizer_config" in given:
            given["optimizer"] = given.pop("optimizer_config")
        found = {key: self.value(key, given[key]) for key in _COMPILE if given.get(key) is not None}
        found["loss"] = _in_role("keras.losses", self.loss(found.get("loss")))
        for key in ("metrics", "weighted_metrics"):
            if key in found:
                found[key] = _in_role("keras.metrics", self.metrics(found[key]))
        found["optimizer"] = _in_role("keras.optimizers", found.get("optimizer", "rmsprop"))
        optimizer = found.get("optimizer")
        if isinstance(optimizer, dict) and str(optimizer.get("class_name", "")).startswith("Custom>"):
            # so marked by Keras 2.11 and later: its own new optimizers
            short = optimizer["class_name"].removeprefix("Custom>")
            if registry.builtins("optimizer").get(short) is not None and isinstance(optimizer.get("config"), dict):
                found["optimizer"] = {
                    **optimizer,
                    "class_name": short,
                    "config": self.accepted(short, optimizer["config"]),
                }
        return found

    def loss(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.loss(part) for part in value]
        if isinstance(value, dict) and "class_name" not in value:
            return {key: self.loss(part) for key, part in value.items()}
        if not isinstance(value, dict) or not isinstance(value.get("config"), dict):
            return value
        config = {**value["config"]}
        if config.get("reduction") == "auto":
            config["reduction"] = (
                "sum_over_batch_size"  # Keras 2 leaves the choice to the strategy, and there is one choice
            )
        if value["class_name"] in registry.builtins("loss"):
            config.pop("fn", None)  # Keras 2 names the function that its own class wraps
        return {**value, "config": config}

    def metrics(self, value: Any) -> Any:
        if isinstance(value, dict) and "class_name" not in value:
            return {key: self.metrics(part) for key, part in value.items()}
        if isinstance(value, list):
            if len(value) == 1 and isinstance(value[0], list):
                value = value[0]  # Keras 2 holds a list for each output, also for the only one
            return [self.metrics(part) for part in value]
        if (
            isinstance(value, dict)
            and value.get("class_name") == "MeanMetricWrapper"
            and isinstance(value.get("config"), dict)
        ):
            function, name = value["config"].get("fn"), value["config"].get("name")
            own = isinstance(function, str) and function in self.custom
            # "accuracy" may stand for three functions: its name says what was asked for
            if not own and isinstance(name, str) and (registry.find("metric", name) or registry.find("loss", name)):
                return name
            return function if function is not None else name
        return value


def _in_role(module: str, part: Any) -> Any:
    """Losses, metrics and optimizers with the module of their role, which legacy files leave out."""
    if isinstance(part, list):
        return [_in_role(module, one) for one in part]
    if isinstance(part, dict) and "class_name" in part:
        # a loss may stand as a metric where its module says so
        known = part.get("module") in ("keras.losses", "keras.metrics", "builtins")
        return part if known else {**part, "module": module}
    return {key: _in_role(module, one) for key, one in part.items()} if isinstance(part, dict) else part


def _unsaid(layer: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    """A call without `training=False` where that is only what a layer does by itself while a model is drawn.

    Keras 3 writes it for all layers whose call has it as the default, and goes by the model's own flag when it runs them.
    Who said it of a model, or of a layer that normalises, did so in order that these learn nothing from a batch.
    """
    says = "layers" in layer.get("config", {}) or layer["class_name"] == "BatchNormalization"
    kwargs = call["kwargs"]
    if says or not isinstance(kwargs, dict) or kwargs.get("training") is not False:
        return call
    return {**call, "kwargs": {key: value for key, value in kwargs.items() if key != "training"}}


def _name(entry: Any) -> Any:
    config = entry.get("config")
    return entry.get("name") or (config.get("name") if isinstance(config, dict) else None)


def _is_reference(part: Any) -> TypeGuard[list[Any]]:
    """[layer, number of the call, number of the result], and in Keras 2 the call's keyword arguments."""
    return (
        isinstance(part, list)
        and len(part) in (3, 4)
        and isinstance(part[0], str)
        and part[0] != "_CONSTANT_VALUE"
        and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in part[1:3])
        and (len(part) == 3 or isinstance(part[3], dict))
    )


def _arguments(cls: type) -> frozenset[str] | None:
    """The names that the constructor of a built-in class takes, through **kwargs up; None when it takes any."""
    found: set[str] = set()
    for base in cls.__mro__:
        init = base.__dict__.get("__init__")
        if init is None or base is object:
            continue
        parameters = inspect.signature(init).parameters.values()
        found |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - {"self"}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    from_config = cls.__dict__.get("from_config")
    if from_config is not None and "layers" not in found:
        found |= {"layers"}
    return frozenset(
        found | {"name", "input_layers", "output_layers", "build_input_shape", "batch_input_shape", "batch_shape"}
    )


def _spec(value: dict[str, Any]) -> dict[str, Any]:
    """The spec of an input, as the legacy files of Keras 2 have it, in the form of both archives."""
    told = value.get("serialized")
    told = told.get("items") if isinstance(told, dict) else told
    return {"class_name": "__typespec__", "spec_name": str(value.get("type_spec")).removeprefix("tf."), "config": told}
