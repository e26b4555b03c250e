"""Name to class to config and back, for every kind of object.

A config is what JSON can hold. An object becomes `{"module", "class_name", "config", "registered_name"}`, a function
`{"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}`; the forms of Keras 2
and Keras 3 are both read. `names.py` says how a name becomes a class.
"""

from __future__ import annotations

import inspect
import linecache
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import DType
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec
from tensorsmith.keras import closures, missing
from tensorsmith.keras.names import (
    MODULES,
    CustomObjectScope,
    article,
    builtin_name,
    builtins,
    custom_object_scope,
    find,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    is_registered,
    register,
    register_keras_serializable,
    role_of,
    unknown,
)
from tensorsmith.structures.specs import RaggedTensorSpec, SparseTensorSpec
from tensorsmith.tensor.tensor import Tensor

__all__ = [
    "CustomObjectScope", "builtin_name", "builtins", "collecting", "custom_object_scope", "deserialize",
    "deserialize_keras_object", "find", "get", "get_custom_objects", "get_registered_name", "get_registered_object",
    "register", "register_keras_serializable", "role_of", "saving", "serialize", "serialize_keras_object",
]  # fmt: skip

collecting, saving = missing.collecting, closures.saving


def get(kind: str, identifier: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """What a user's word for a part stands for: a name, a config, a class, or the part itself; None stays None.

    Names of classes give an instance. Raises ValueError for an unknown name, with the nearest ones.
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        found = deserialize(kind, identifier, custom_objects)
        return found() if inspect.isclass(found) else found
    if inspect.isclass(identifier):
        return identifier()
    if callable(identifier) or hasattr(identifier, "get_config"):
        return identifier
    raise ValueError(
        explain(
            f"keras.{kind}",
            f"{identifier!r} cannot be read as {article(kind)}",
            {"type": type(identifier).__name__},
            "it takes a name, a config, a function, a class or an instance",
        )
    )


def deserialize(kind: str, config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True) -> Any:
    """The part of this role that a config (or a bare name) describes."""
    if isinstance(config, str):
        found = find(kind, config, custom_objects)
        return found if found is not None else unknown(kind, config)
    return deserialize_keras_object(config, custom_objects, safe_mode, kind=kind)


# ---- object -> config


def serialize(kind: str, thing: Any) -> Any:
    """The config of a part in its role: a plain name for a built-in function, else as `serialize_keras_object`.

    >>> from tensorsmith.keras import activations
    >>> serialize("activation", activations.selu)
    'selu'
    """
    name = None if isinstance(thing, dict) else builtin_name(kind, thing)
    return name if name is not None and not inspect.isclass(thing) else serialize_keras_object(thing)


def serialize_keras_object(obj: Any) -> Any:
    """What JSON can hold of any object: numbers, strings, lists, dicts, arrays, functions, and what has `get_config`.

    Raises TypeError, naming the object, for one that gives no config.

    >>> serialize_keras_object(len)
    {'module': 'builtins', 'class_name': 'function', 'config': 'len', 'registered_name': 'function'}
    """
    if obj is None or isinstance(obj, (str, bool, int, float)):
        return obj
    special = _special(obj)
    if special is not None:
        return special
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(part) for part in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, missing.Unknown):
        return obj.name
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        return _object(obj)
    if inspect.isclass(obj) or inspect.isroutine(obj) or type(obj).__name__ in ("PjitFunction", "Function"):
        return _function(obj)
    raise TypeError(
        explain(
            "serialize_keras_object",
            f"an object of class {type(obj).__name__} cannot be written to a config",
            {"object": _short(obj)},
            "it needs a method get_config() that gives the arguments of its constructor",
        )
    )


def _special(obj: Any) -> Any:
    """The forms of values that JSON has no word for; None for any other object."""
    if isinstance(obj, DType):
        return obj.name
    if isinstance(obj, TensorShape):
        return None if obj.rank is None else list(obj)
    if isinstance(obj, TensorSpec):
        config = {"shape": serialize_keras_object(obj.shape), "dtype": obj.dtype.name, "name": obj.name}
        return {"class_name": "__typespec__", "spec_name": "TensorSpec", "config": config}
    if type(obj) in _SPEC_MODULES:
        # in the form of Keras 2, which looks for the class in TensorFlow's own file
        told = [serialize_keras_object(part) for part in obj._told()]
        module = f"tensorflow.python.{_SPEC_MODULES[type(obj)]}"
        name = type(obj).__name__
        return {**_named("__typespec__", told), "spec_name": name, "module": module, "registered_name": None}
    if isinstance(obj, Tensor):
        return _named("__tensor__", {"value": np.asarray(obj).tolist(), "dtype": obj.dtype.name})
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return _named("__numpy__", {"value": obj.tolist(), "dtype": obj.dtype.name})
    if isinstance(obj, np.dtype) or (isinstance(obj, type) and issubclass(obj, np.generic)):
        return np.dtype(obj).name
    if isinstance(obj, bytes):
        return _named("__bytes__", {"value": obj.decode("latin-1")})
    if isinstance(obj, slice):
        parts = {name: serialize_keras_object(getattr(obj, name)) for name in ("start", "stop", "step")}
        return _named("__slice__", parts)
    if obj is Ellipsis:
        return _named("__ellipsis__", {})
    if getattr(obj, "_read", None) is not None and not hasattr(obj, "get_config"):
        return _special(Tensor(np.asarray(obj)))
    return None


_SPEC_MODULES: dict[type, str] = {
    RaggedTensorSpec: "ops.ragged.ragged_tensor",
    SparseTensorSpec: "framework.sparse_tensor",
}


def _named(class_name: str, config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def _function(function: Any) -> dict[str, Any]:
    name = getattr(function, "__name__", type(function).__name__)
    if name == "<lambda>":
        return _named("__lambda__", {"source": _source(function)})
    closures.note(function)
    registered = get_registered_name(function) if is_registered(function) else name
    return {"module": "builtins", "class_name": "function", "config": registered, "registered_name": "function"}


def _source(function: Any) -> str:
    """The source lines of a lambda: a text for people, which no loader runs."""
    try:
        return "".join(inspect.getsourcelines(inspect.unwrap(function))[0]).strip()
    except (OSError, TypeError):
        linecache.checkcache()
        return ""


def _object(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    role = role_of(cls)
    if role is not None and not is_registered(cls):
        module, registered = MODULES[role], None
    else:
        # the path of a user's module helps people; no loader follows it
        module = None if is_registered(cls) or cls.__module__ == "__main__" else cls.__module__
        registered = get_registered_name(cls)
    config = {
        "module": module,
        "class_name": cls.__name__,
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": registered,
    }
    for key in ("build_config", "compile_config"):
        give = getattr(obj, f"get_{key}", None)
        given = None if give is None else give()
        if given is not None:
            config[key] = serialize_keras_object(given)
    return config


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


# ---- config -> object


def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, *, kind: str | None = None
) -> Any:
    """The object that a config describes; what is no config of an object comes back as it is.

    custom_objects  {name: class or function} of the user's own parts.
    safe_mode       True: stored Python code is refused.
    kind            the role that it must have ("loss"); by default what the config's module says.

    Raises ValueError for a name that is not known, and for a config that its class cannot take.

    >>> from tensorsmith.keras import regularizers
    >>> config = serialize_keras_object(regularizers.L2(0.5))
    >>> deserialize_keras_object(config).get_config()
    {'l2': 0.5}
    """
    if custom_objects:
        with CustomObjectScope(custom_objects):
            return deserialize_keras_object(config, None, safe_mode, kind=kind)
    if isinstance(config, str):
        found = find(kind, config) if kind is not None else get_registered_object(config)
        return config if found is None else found
    if isinstance(config, (list, tuple)):
        return type(config)(deserialize_keras_object(part, None, safe_mode) for part in config)
    if not isinstance(config, dict):
        return config
    class_name = config.get("class_name")
    if not isinstance(class_name, str) or "config" not in config:
        return {key: deserialize_keras_object(value, None, safe_mode) for key, value in config.items()}
    inner = config["config"]
    if class_name in _READERS:
        # a spec's kind stands beside what it is told by
        return _READERS[class_name](config if class_name == "__typespec__" else inner)
    if class_name == "__lambda__":
        return _lambda(inner, kind, safe_mode)
    kind = kind or _role_in(config)
    if class_name == "function":
        return _known(kind, inner, None)
    registered = config.get("registered_name")
    name = registered if isinstance(registered, str) and ">" in registered else class_name
    found = _known(kind, name, inner)
    if isinstance(found, missing.Unknown):
        _look_through(inner)
        return found
    return _build(found, kind, config, safe_mode)


def _role_in(config: dict[str, Any]) -> str | None:
    """The role that a config's module stands for: it is compared with the known ones, never imported."""
    module = config.get("module")
    return next((kind for kind, known in MODULES.items() if known == module and module != "keras"), None)


def _known(kind: str | None, name: Any, config: Any) -> Any:
    if not isinstance(name, str):
        raise ValueError(
            explain(
                "deserialize_keras_object", f"the name of {article(kind or 'object')} must be a string", {"name": name}
            )
        )
    found = find(kind, name)
    return found if found is not None else unknown(kind, name, config)


def _look_through(config: Any) -> None:
    """Notes the unknown parts inside the config of an unknown class: one error shall list them all."""
    if isinstance(config, dict):
        name = config.get("config") if config.get("class_name") == "function" else config.get("class_name")
        if isinstance(name, str) and "config" in config and name not in _READERS:
            kind = _role_in(config)
            if find(kind, name) is None:
                unknown(kind, name, config["config"])
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            _look_through(part)


def _build(cls: Any, kind: str | None, config: dict[str, Any], safe_mode: bool) -> Any:
    inner = config["config"]
    if not inspect.isclass(cls):
        # Keras 2 wrote {"class_name": "relu", "config": {...}} for functions, too
        return cls
    where = f"{kind or 'object'} {cls.__name__}"
    if not isinstance(inner, dict):
        raise ValueError(explain(where, "its config must be a dictionary", {"config": _short(inner)}))
    if role_of(cls) is not None:
        inner = _without_unset(cls, inner)
    name = inner.get("name")
    name = name if isinstance(name, str) else cls.__name__
    with missing.place(f"{kind or 'object'} {name!r}"):
        try:
            from_config = getattr(cls, "from_config", None)
            made: Any = cls(**inner) if from_config is None else from_config(inner)
        except TypeError as error:
            raise ValueError(explain(where, f"its config does not fit: {error}", {"config": _short(inner)})) from error
        for key in ("build_config", "compile_config"):
            given, take = config.get(key), getattr(made, key.replace("_config", "_from_config"), None)
            if given and take is not None:
                take(given)
    return made


def _without_unset(cls: Any, config: dict[str, Any]) -> dict[str, Any]:
    """A built-in part's config without null fields that it does not have: another generation of Keras wrote them."""
    parameters = inspect.signature(cls.__init__).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return config
    return {key: value for key, value in config.items() if value is not None or key in parameters}


def _lambda(config: Any, kind: str | None, safe_mode: bool) -> Any:
    source = config.get("source") if isinstance(config, dict) else None
    shown = f" It reads: {_short(source)}" if isinstance(source, str) and source else ""
    why = "it is refused in safe mode" if safe_mode else "this library never runs code out of a file"
    raise ValueError(
        explain(
            kind or "lambda",
            "the config holds a lambda, stored as Python code",
            rule=why,
            way_out=f"Make it a named function and give it in custom_objects.{shown}",
        )
    )


def _spec(config: dict[str, Any]) -> Any:
    kinds = {kind.__name__: kind for kind in (TensorSpec, *_SPEC_MODULES)}
    name, told = config.get("spec_name"), config["config"]
    if name not in kinds:
        raise ValueError(
            explain("deserialize_keras_object", "there is no such spec",
                    {"spec_name": repr(name), "specs": ", ".join(sorted(kinds))})
        )  # fmt: skip
    return kinds[name](*(told.values() if isinstance(told, dict) else told))


def _array(config: dict[str, Any]) -> np.ndarray:
    return np.array(config["value"], dtype=config["dtype"])


_READERS = {
    "__typespec__": _spec,
    "__tensor__": lambda config: Tensor(_array(config)),
    "__numpy__": _array,
    "__bytes__": lambda config: config["value"].encode("latin-1"),
    "__ellipsis__": lambda config: Ellipsis,
    "__slice__": lambda config: slice(*(deserialize_keras_object(config[k]) for k in ("start", "stop", "step"))),
    "__tuple__": lambda config: tuple(deserialize_keras_object(part) for part in config["value"]),
}
