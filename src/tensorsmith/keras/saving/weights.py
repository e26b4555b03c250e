"""Weights to a file by path, and back.

Every object reachable from the model is one group named by its path; its own variables are `<path>/vars/0`, `/1`, ...
Both Keras generations name paths by attributes, in different orders: `STYLES` has one walk for each, and the one whose
paths hold exactly the arrays that the model needs is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorsmith.core.errors import warn
from tensorsmith.core.naming import snake_case
from tensorsmith.exchange.safety import quoted, refusal
from tensorsmith.keras.saving import matching
from tensorsmith.keras.saving.tree import Group
from tensorsmith.state.variable import Variable

STYLES = ("k3", "k2", "attributes")
# the state of random generators differs between the generations: it is kept where it fits and never missed
_RANDOM = ("seed_generator", "_random_generator", "random_generator")


@dataclass
class Entry:
    """One object of a model: its path, the object, and its own variables in order."""

    path: str
    thing: Any
    variables: list[Any]

    @property
    def optional(self) -> bool:
        """True for state that a model can do without: of random generators, and of metrics, which start anew."""
        from tensorsmith.keras.metrics import Metric

        return self.path.rsplit("/", 1)[-1] in _RANDOM or isinstance(self.thing, Metric)


def entries(model: Any, style: str = "k3") -> list[Entry]:
    """Every object of a model, once, with the path that a generation of Keras stores it under."""
    return list(_Walk(style).thing(model, ""))


class _Walk:
    """A walk over attributes in one generation's order.

    k3          sorted, private names last; in lists, objects met before under another path are counted too.
    k2          sorted backwards; they are not counted.
    attributes  as k2, with `layers` last: every layer in an attribute keeps its attribute's name.
    """

    def __init__(self, style: str) -> None:
        self.style = style
        self.seen: set[int] = set()

    def thing(self, thing: Any, path: str) -> Iterator[Entry]:
        # an own stack of generators would say no more: models are nested a few levels, and lists are not nested here
        if id(thing) in self.seen:
            return
        self.seen.add(id(thing))
        yield Entry(path, thing, own_variables(thing))
        for name, child in self.attributes(thing):
            inner = f"{path}/{name}" if path else name
            if _is_stored(child):
                yield from self.thing(child, inner)
            elif isinstance(child, (list, tuple, dict)):
                yield from self.container(child, inner, 0)

    def attributes(self, thing: Any) -> list[tuple[str, Any]]:
        named = _attributes_of(thing)
        layers = named.pop("layers", None)
        if self.style == "k3":
            order = sorted(named, key=lambda n: (n.startswith("_"), n))
            if layers is not None and not _is_graph(thing):
                at = sum(not n.startswith("_") and n < "layers" for n in order)
                return [(n, named[n]) for n in order[:at]] + [("layers", layers)] + [(n, named[n]) for n in order[at:]]
        else:
            order = sorted(named, reverse=True)
            if layers is not None and not _is_graph(thing):
                at = len(order) if self.style == "attributes" else sum(n > "layers" for n in order)
                return [(n, named[n]) for n in order[:at]] + [("layers", layers)] + [(n, named[n]) for n in order[at:]]
        found = [(n, named[n]) for n in order]
        return found if layers is None else [("layers", layers), *found]

    def container(self, things: Any, path: str, depth: int) -> Iterator[Entry]:
        used: dict[str, int] = {}
        for child in list(things.values()) if isinstance(things, dict) else things:
            nested = isinstance(child, (list, tuple, dict)) and depth < 8
            if not nested and not _is_stored(child):
                continue
            if not nested and self.style != "k3" and id(child) in self.seen:
                continue
            name = "container" if nested else snake_case(type(child).__name__)
            number = used[name] = used.get(name, -1) + 1
            inner = f"{path}/{name}" if number == 0 else f"{path}/{name}_{number}"
            if nested:
                yield from self.container(child, inner, depth + 1)
            else:
                yield from self.thing(child, inner)


def _is_stored(thing: Any) -> bool:
    """Layers, metrics, random generators: what has variables and is no variable."""
    if isinstance(thing, (Variable, type)) or thing is None:
        return False
    from tensorsmith.keras.layers.tracking import Trackable

    return isinstance(thing, Trackable) or type(thing).__name__ == "SeedGenerator"


def _is_graph(thing: Any) -> bool:
    from tensorsmith.keras.models import Functional, Sequential

    return isinstance(thing, (Functional, Sequential))


def own_variables(thing: Any) -> list[Any]:
    """The variables of an object itself, trainable first; those of what stands inside it are stored with that."""
    held = getattr(thing, "_held", None)
    if held is not None:
        own = [v for v in held() if isinstance(v, Variable)]
        return [v for v in own if v.trainable] + [v for v in own if not v.trainable]
    return list(getattr(thing, "variables", ()))


def _attributes_of(thing: Any) -> dict[str, Any]:
    """The attributes that may hold objects with state; those that every layer or model has are its machinery."""
    from tensorsmith.keras.layers import Layer
    from tensorsmith.keras.models import Model

    machinery = _machinery(isinstance(thing, Model), isinstance(thing, Layer), _is_graph(thing))
    found = {name: value for name, value in vars(thing).items() if name not in machinery}
    if isinstance(thing, Model):
        found["layers"] = thing.layers
    return found


_machineries: dict[tuple[bool, bool, bool], frozenset[str]] = {}


def _machinery(model: bool, layer: bool, graph: bool) -> frozenset[str]:
    key = (model, layer, graph)
    if key not in _machineries:
        from tensorsmith.keras.layers import Layer
        from tensorsmith.keras.models import Functional, Model, Sequential

        names: set[str] = {"_build_shapes", "_seen_inputs", "_batch_input_shape"}
        if layer:
            names |= set(vars(Layer(name="layer")))
        if model:
            names |= set(vars(Model(name="model")))
        if graph:
            names |= set(vars(Sequential(name="sequential")))
            names |= {"_input_structure", "_output_structure", "_nodes", "_layers", "_steps"}
            assert Functional is not None
        _machineries[key] = frozenset(names)
    return _machineries[key]


# ---- to a file


def to_tree(model: Any, optimizer: list[np.ndarray] | None = None) -> Group:
    """The tree of a `.weights.h5` file. Values are taken at once: a model that trains on meanwhile changes nothing."""
    tree = Group()
    for entry in entries(model):
        group = tree.group(f"{entry.path}/vars" if entry.path else "vars")
        group.attributes["name"] = str(getattr(entry.thing, "name", "") or snake_case(type(entry.thing).__name__))
        for number, variable in enumerate(entry.variables):
            group.put(str(number), variable.numpy())
    if optimizer is not None:
        group = tree.group("optimizer/vars")
        group.attributes["name"] = str(getattr(model.optimizer, "name", "optimizer"))
        for number, value in enumerate(optimizer):
            group.put(str(number), value)
    return tree


# ---- from a file


def optimizer_arrays(tree: Group, file: Any) -> list[np.ndarray] | None:
    """The optimizer's variables, in order; None when the file has none."""
    group = tree.at("optimizer/vars")
    return _numbered(group, file, "optimizer/vars") if isinstance(group, Group) else None


def plan(model: Any, tree: Group, file: Any, skip_mismatch: bool = False) -> matching.Plan:
    """Which array goes into which variable. Nothing is assigned yet; ModelFileError when the two do not fit.

    Every array must be used and every variable filled; the optimizer's are left to who asks for them.
    """
    stored = _stored(tree, file)
    tries = [_match(entries(model, style), stored) for style in STYLES]
    best = min(tries, key=lambda found: len(found.problems))
    if best.problems and not skip_mismatch:
        raise refusal(file, matching.told(best.problems, f"its weights do not fit the model {model.name!r}"))
    if best.problems:
        warn(matching.told(best.problems, f"{quoted(str(file))!r}: skipped, as they do not fit"))
    return best


def _stored(tree: Group, file: Any) -> dict[str, list[np.ndarray]]:
    """The arrays of each object in the file, by path."""
    found: dict[str, list[np.ndarray]] = {}

    def walk(group: Group, path: str) -> None:
        for name, child in group.children.items():
            inner = f"{path}/{name}" if path else name
            if not isinstance(child, Group):
                raise refusal(file, "an array stands where a group was expected", quoted(inner))
            if name == "vars":
                found[path] = _numbered(child, file, inner)
            elif inner not in ("optimizer", "metrics"):  # metrics: state of a run that Keras 2 kept
                # Keras 2.12 to 2.14 named the layers of a model so
                walk(child, f"{path}/layers".lstrip("/") if name == "_layer_checkpoint_dependencies" else inner)

    walk(tree, "")
    return found


def _numbered(group: Group, file: Any, place: str) -> list[np.ndarray]:
    """The arrays 0, 1, ... of a `vars` group."""
    names = sorted(group.children, key=lambda n: (len(n), n))
    if names != [str(n) for n in range(len(names))]:
        raise refusal(file, f"arrays should be named 0, 1, ...; found {quoted(names)}", quoted(place))
    for name in names:
        if not isinstance(group.children[name], np.ndarray):
            raise refusal(file, "a group stands where an array was expected", quoted(f"{place}/{name}"))
    return [group.children[n] for n in names]  # type: ignore[misc]


def _match(model: list[Entry], stored: dict[str, list[np.ndarray]]) -> matching.Plan:
    found = matching.Plan()
    used = set()
    for entry in model:
        arrays = stored.get(entry.path)
        label = entry.path or "the model itself"
        if arrays:
            used.add(entry.path)
        if entry.optional:
            if arrays and not matching.differences(label, entry.variables, arrays):
                found.pairs += zip(entry.variables, arrays, strict=True)
            continue
        if not arrays and not entry.variables:
            continue
        if not arrays:
            shapes = ", ".join(str(tuple(v.shape)) for v in entry.variables)
            near = [p for p in stored if p.rsplit("/", 1)[-1] == entry.path.rsplit("/", 1)[-1] and stored[p]]
            hint = f"; it has one of that name at {', '.join(map(quoted, near[:3]))}" if near else ""
            found.problems.append(f"{label}: the file has no weights for it (needed: {shapes}){hint}")
            continue
        found.add(label, entry.variables, arrays, entry.thing)
    for path, arrays in stored.items():
        if path not in used and arrays and path.rsplit("/", 1)[-1] not in _RANDOM:
            shapes = ", ".join(str(a.shape) for a in arrays)
            found.problems.append(
                f"{quoted(path) or 'the model itself'}: the model has nothing that these go into ({shapes})"
            )
    return found
