"""What is written differently for the two generations of Keras.

common  one file that both open, where one file can; else what Keras 3 opens
k2, k3  for one of them alone
"""

from __future__ import annotations

from typing import Any

DIALECTS = ("common", "k2", "k3")

# Keras 3.15 cannot read its own .h5 files where these stand by their short names
_LONG_NAMES = {
    "mse": "mean_squared_error",
    "MSE": "mean_squared_error",
    "mae": "mean_absolute_error",
    "MAE": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "MAPE": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "MSLE": "mean_squared_logarithmic_error",
    "kld": "kl_divergence",
    "KLD": "kl_divergence",
    "bce": "binary_crossentropy",
    "BCE": "binary_crossentropy",
}
# keys that only one generation's constructors take; they are left out where they say nothing
_ONLY_KERAS3 = ("input_axes", "output_axes", "quantization_config", "loss_scale_factor", "gradient_accumulation_steps")
# their constructors take no seed in Keras 2
_UNSEEDED = ("SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell")
_QUIET = ("activity_regularizer", "shared_object_id", "batch_input_shape")


def check(dialect: str | None) -> str:
    if dialect not in (None, *DIALECTS):
        raise ValueError(f"dialect must be one of {', '.join(DIALECTS)}; given {dialect!r}.")
    return dialect or "common"


def for_h5(model: dict[str, Any], dialect: str) -> dict[str, Any]:
    """`{"class_name", "config"}` of a serialized model, as a legacy file holds it."""
    if dialect == "common" and not _both_can(model):
        dialect = "k3"
    return _bare(_lowered(model, dialect, legacy=True))


def for_archive(model: dict[str, Any], dialect: str) -> dict[str, Any]:
    """The serialized model as a .keras archive holds it."""
    dialect = "k2" if dialect == "k2" else "k3"
    lowered = _lowered(model, dialect, legacy=False)
    if "compile_config" in lowered:
        lowered["compile_config"] = _value("", lowered["compile_config"], dialect, False)
    return lowered


def _both_can(model: dict[str, Any]) -> bool:
    """False for models inside models, whose calls the generations number differently, and where a keyword argument is a
    tensor, which Keras 3 does not read in Keras 2's form."""
    layers = model.get("config", {}).get("layers")
    if not isinstance(layers, list) or "input_layers" not in model["config"]:
        return True
    if any("layers" in entry.get("config", {}) for entry in layers):
        return False
    nodes = [node for entry in layers for node in entry.get("inbound_nodes", [])]
    return not any(_holds_tensors(node.get("kwargs")) for node in nodes if isinstance(node, dict))


def _holds_tensors(part: Any) -> bool:
    if isinstance(part, dict):
        return part.get("class_name") == "__keras_tensor__" or any(map(_holds_tensors, part.values()))
    return isinstance(part, (list, tuple)) and any(map(_holds_tensors, part))


def _bare(entry: dict[str, Any]) -> dict[str, Any]:
    """A layer as class and config only: with a `module` key both generations expect more than a legacy file has."""
    kept = {key: entry[key] for key in ("class_name", "config", "name", "inbound_nodes") if key in entry}
    name = entry.get("registered_name")
    if isinstance(name, str) and ">" in name:
        kept["class_name"] = name
    config = entry.get("config")
    if isinstance(config, dict) and isinstance(config.get("layers"), list):
        kept["config"] = {**config, "layers": [_bare(layer) for layer in config["layers"]]}
    return kept


def _lowered(entry: dict[str, Any], dialect: str, legacy: bool) -> dict[str, Any]:
    name, config = entry.get("class_name"), entry.get("config")
    if not isinstance(config, dict):
        return entry
    entry = {key: value for key, value in entry.items() if key != "shared_object_id"}
    if name == "OpsFunction" and dialect == "k3" and not legacy and config.get("source"):
        # as Keras 3 wrote it; in legacy files it cannot read its own
        module, kind = config["source"]
        own = {"name": config["name"], **config["settings"]}
        return {**entry, "module": module, "class_name": kind, "registered_name": kind, "config": own}
    if name == "Functional":
        # no public module has it: both generations name their own file, and look it up there
        entry["module"], entry["registered_name"] = _FUNCTIONAL[dialect == "k2"], "Functional"
    elif name == "Sequential" and entry.get("registered_name") is None:
        entry["module"] = "keras"
    config = {key: _value(key, value, dialect, legacy) for key, value in config.items() if not _silent(key, value)}
    functional = "input_layers" in config
    if isinstance(config.get("layers"), list):
        layers = [_lowered(layer, dialect, legacy) for layer in config["layers"]]
        if functional and dialect != "k3":
            models = (
                {_layer_name(layer) for layer in layers if "layers" in layer.get("config", {})}
                if dialect == "k2"
                else set()
            )
            layers = [_with_keras2_calls(layer, models) for layer in layers]
            for key in ("input_layers", "output_layers"):
                config[key] = _places(config[key], models)
        config["layers"] = layers
    if name == "InputLayer" and dialect != "k3" and "batch_shape" in config:
        kinds = {kind: config.pop(kind, False) for kind in ("sparse", "ragged")}
        config = {"batch_input_shape": config.pop("batch_shape"), **config, **kinds}
    if name == "Sequential" and legacy and dialect != "k3":
        config.pop("dtype", None)
    if dialect == "k2":
        config = {key: value for key, value in config.items() if key not in _ONLY_KERAS3}
    if name in _UNSEEDED and (dialect == "k2" or (dialect == "common" and config.get("seed") is None)):
        config = {key: value for key, value in config.items() if key != "seed"}
    return {**entry, "config": config}


_FUNCTIONAL = {False: "keras.src.models.functional", True: "keras.src.engine.functional"}


def _silent(key: str, value: Any) -> bool:
    return (value is None and key in (*_ONLY_KERAS3, *_QUIET)) or key == "shared_object_id"


def _value(key: str, value: Any, dialect: str, legacy: bool) -> Any:
    if key == "layers":
        return value
    if isinstance(value, dict):
        if key == "dtype" and isinstance(value.get("config"), dict) and "name" in value["config"]:
            return value["config"]["name"]
        if value.get("class_name") == "__typespec__" and dialect != "k3" and legacy:
            told = {"class_name": "__tuple__", "items": value["config"]}
            return {"class_name": "TypeSpec", "type_spec": f"tf.{value['spec_name']}", "serialized": told}
        if value.get("class_name") == "function" and dialect == "k2" and legacy:
            return value["config"]
        if "class_name" in value and isinstance(value.get("config"), dict):
            return _lowered(value, dialect, legacy)
        return {
            inner: _value(inner, part, dialect, legacy) for inner, part in value.items() if not _silent(inner, part)
        }
    if isinstance(value, (list, tuple)):
        return [_value("", part, dialect, legacy) for part in value]
    return value


# ---- calls of layers in Keras 2's form


def _layer_name(entry: dict[str, Any]) -> Any:
    return entry.get("name") or entry["config"].get("name")


def _with_keras2_calls(entry: dict[str, Any], models: set[Any]) -> dict[str, Any]:
    return {**entry, "inbound_nodes": [_call(node, models) for node in entry.get("inbound_nodes", [])]}


def _call(node: dict[str, Any], models: set[Any]) -> Any:
    args, kwargs = list(node["args"]), dict(node.get("kwargs", {}))
    kwargs = {key: _keyword(value, models) for key, value in kwargs.items() if value is not None}

    def tensors(part: Any) -> Any:
        if isinstance(part, dict) and part.get("class_name") == "__keras_tensor__":
            return [*_place(part["config"]["keras_history"], models), kwargs]
        if isinstance(part, dict):
            return {key: tensors(value) for key, value in part.items()}
        return [tensors(value) for value in part] if isinstance(part, list) else part

    # further positional arguments are the second, third, ... inputs of the layers that take them so
    found = tensors(args[0] if len(args) == 1 else args)
    single = isinstance(found, list) and len(found) == 4 and isinstance(found[0], str)
    return [found] if single else found


def _keyword(value: Any, models: set[Any]) -> Any:
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return _place(value["config"]["keras_history"], models)
    return [_keyword(part, models) for part in value] if isinstance(value, list) else value


def _place(history: list[Any], models: set[Any]) -> list[Any]:
    name, call, result = history[:3]
    return [name, call + (name in models), result]


def _places(part: Any, models: set[Any]) -> Any:
    if isinstance(part, (list, tuple)) and len(part) == 3 and isinstance(part[0], str):
        return _place(list(part), models)
    if isinstance(part, dict):
        return {key: _places(value, models) for key, value in part.items()}
    return [_places(value, models) for value in part]


# ---- compile


def training(config: dict[str, Any], dialect: str) -> dict[str, Any]:
    """The training_config of a legacy file, out of what `get_compile_config` gave."""
    found: dict[str, Any] = {"loss": _named(config.get("loss")), "metrics": _named(config.get("metrics"))}
    found["weighted_metrics"] = _named(config.get("weighted_metrics"))
    found["loss_weights"] = config.get("loss_weights")
    if dialect == "k3":
        found.update({key: config.get(key) for key in ("run_eagerly", "steps_per_execution", "jit_compile")})
    optimizer = config.get("optimizer")
    if isinstance(optimizer, dict):
        lowered = _lowered(optimizer, dialect, legacy=True)
        name = lowered["class_name"]
        if optimizer.get("module") and dialect != "k3":
            # Keras 2 tells its own new optimizers from its own old ones by this mark
            name = f"Custom>{name}"
            if dialect == "common":
                # Keras 3 does not know the mark: it makes a new optimizer by the name in its config, with default
                # settings, and fails for a name that is no class's
                lowered = {**lowered, "config": {**lowered["config"], "name": lowered["class_name"]}}
        elif isinstance(optimizer.get("registered_name"), str):
            name = optimizer["registered_name"]
        found["optimizer_config"] = {"class_name": name, "config": lowered["config"]}
    elif optimizer is not None:
        found["optimizer_config"] = optimizer
    return found


def _named(part: Any) -> Any:
    """Losses and metrics: built-in ones by their long names, functions by name, classes with their configs."""
    if isinstance(part, str):
        return _LONG_NAMES.get(part, part)
    if isinstance(part, (list, tuple)):
        return [_named(one) for one in part]
    if isinstance(part, dict) and "class_name" in part:
        if part["class_name"] == "function":
            return part["config"]
        name = part.get("registered_name") or part["class_name"]
        return {"class_name": name, "config": _value("", part["config"], "k3", True)}
    if isinstance(part, dict):
        return {key: _named(one) for key, one in part.items()}
    return part
