"""Which class or function a name means, in which role.

A name becomes an object through tables alone: the `custom_objects` given, the open scopes, what was registered, then
the built-in table of the role that is asked for. No module is imported, no attribute followed because a config says so.
"""

from __future__ import annotations

import difflib
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from tensorsmith.core.errors import explain
from tensorsmith.keras import missing

Thing = TypeVar("Thing")

# the public module of each role: what a config's "module" says
MODULES = {
    "layer": "keras.layers",
    "model": "keras",
    "loss": "keras.losses",
    "metric": "keras.metrics",
    # what MeanMetricWrapper wraps; `metrics.get("mae")` is a metric, its function is another thing
    "metric function": "keras.metrics",
    "optimizer": "keras.optimizers",
    "schedule": "keras.optimizers.schedules",
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "activation": "keras.activations",
    "policy": "keras",
}
# a model may stand where a layer may
_WIDER = {"layer": ("layer", "model"), "model": ("model", "layer")}

_tables: dict[str, dict[str, Any]] = {kind: {} for kind in MODULES}
# {(kind, class or function): its name in configs}
_names: dict[tuple[str, Any], str] = {}
_registered: dict[str, Any] = {}
_registered_names: dict[Any, str] = {}


class _Local(threading.local):
    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []


_local = _Local()


# ---- built-in tables


def register(kind: str, thing: Thing, *aliases: str) -> Thing:
    """Makes a class or function known, under its name and `aliases`, in the built-in table of a role.

    A name is registered once: ValueError for another thing under a name that is taken.
    """
    name = thing.__name__  # type: ignore[attr-defined]
    table = _tables[kind]
    for known in (name, *aliases):
        if table.get(known, thing) is not thing:
            raise ValueError(f"There is already a built-in {kind} named {known!r}.")
    table.update(dict.fromkeys((name, *aliases), thing))
    _names.setdefault((kind, thing), name)
    return thing


def builtins(kind: str) -> dict[str, Any]:
    """The classes and functions of a role by their own names, aliases left out.

    >>> import tensorsmith.keras.regularizers
    >>> "L2" in builtins("regularizer"), "l2" in builtins("regularizer")
    (True, False)
    """
    return {name: thing for (role, thing), name in _names.items() if role == kind}


def builtin_name(kind: str, thing: Any) -> str | None:
    """The name of a built-in class or function of this role; None for a user's."""
    try:
        return _names.get((kind, thing))
    except TypeError:
        return None


def role_of(cls: Any) -> str | None:
    """The role of a built-in class; None for a user's."""
    return next((kind for kind in MODULES if builtin_name(kind, cls) is not None), None)


# ---- what users make known


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Thing], Thing]:
    """A decorator that makes a class or function known as `package>name`, so that loading needs no `custom_objects`.

    Raises ValueError for a class without `get_config`.

    >>> @register_keras_serializable("docs")
    ... def double(x):
    ...     return 2 * x
    >>> get_registered_name(double)
    'docs>double'
    """

    def decorate(thing: Thing) -> Thing:
        full = f"{package}>{name or thing.__name__}"  # type: ignore[attr-defined]
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(
                explain(
                    "register_keras_serializable",
                    f"the class {thing.__name__} has no get_config",
                    rule="what is registered must give its config",
                )
            )
        _registered[full] = thing
        _registered_names[thing] = full
        return thing

    return decorate


def get_custom_objects() -> dict[str, Any]:
    """The dictionary of everything registered; what is put into it by hand is known too."""
    return _registered


def is_registered(thing: Any) -> bool:
    """True for a class or function that was registered by `register_keras_serializable`."""
    return thing in _registered_names


def get_registered_name(thing: Any) -> str:
    """`package>name` of a registered class or function, else its own name."""
    return _registered_names.get(thing) or thing.__name__


def get_registered_object(name: str, custom_objects: dict | None = None, module_objects: dict | None = None) -> Any:
    """The class or function that users made known as `name`; None when there is none."""
    found = _custom(name, custom_objects)
    return found if found is not None else (module_objects or {}).get(name)


class CustomObjectScope:
    """A context in which classes and functions are known by the names given.

    >>> def half(x):
    ...     return x / 2
    >>> with CustomObjectScope({"half": half}):
    ...     get_registered_object("half") is half
    True
    """

    def __init__(self, *args: dict[str, Any], **named: Any) -> None:
        self.custom_objects: dict[str, Any] = {}
        for given in args:
            self.custom_objects.update(given or {})
        self.custom_objects.update(named.pop("custom_objects", None) or {})
        self.custom_objects.update(named)

    def __enter__(self) -> CustomObjectScope:
        _local.scopes.append(self.custom_objects)
        return self

    def __exit__(self, *exc: Any) -> None:
        _local.scopes.pop()


custom_object_scope = CustomObjectScope


def _tables_of_users(custom_objects: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    if custom_objects:
        yield custom_objects
    yield from reversed(_local.scopes)
    yield _registered


def _custom(name: str, custom_objects: dict[str, Any] | None) -> Any:
    """What a user made known as `name`; None when nothing."""
    short = name.split(">")[-1]
    for table in _tables_of_users(custom_objects):
        for known in (name, short):
            if known in table:
                return table[known]
        if ">" not in name:
            # Keras up to 3.6 wrote a registered function by its bare name
            found = [thing for full, thing in table.items() if full.endswith(f">{name}")]
            if len(found) == 1:
                return found[0]
    return None


# ---- looking up


def find(kind: str | None, name: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The class or function of this role and name, or None.

    kind  None: any role, where only one knows the name.
    """
    found = _custom(name, custom_objects)
    if found is not None:
        return found
    # Keras 2 writes its own optimizers as Custom>Name
    short = name[len("Custom>") :] if name.startswith("Custom>") else name
    kinds = _WIDER.get(kind, (kind,)) if kind is not None else tuple(MODULES)
    things = [_tables[k][short] for k in kinds if short in _tables[k]]
    distinct = [thing for at, thing in enumerate(things) if thing not in things[:at]]
    return distinct[0] if distinct and (kind is not None or len(distinct) == 1) else None


def unknown(kind: str | None, name: str, config: Any = None) -> Any:
    """Notes an unknown name for the list of a file, or raises ValueError that names it and the nearest known ones."""
    role = kind or "object"
    placeholder = missing.report(role, name, config)
    if placeholder is not None:
        return placeholder
    known = [n for k in (_WIDER.get(kind, (kind,)) if kind else MODULES) for n in _tables[k]]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    way_out = f"Did you mean {near[0]!r}? " if near else ""
    if missing.pasteable(name):
        way_out += f'If it is your own, give custom_objects={{"{name}": {name.split(">")[-1]}}}.'
    raise ValueError(explain(f"keras.{role}", f"unknown {role} {_short(name)}", way_out=way_out.strip()))


def article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _short(name: str) -> str:
    """A name as it stands in a message: it may come out of a file, and be anything."""
    return repr(name if len(name) <= 200 else name[:197] + "...")
