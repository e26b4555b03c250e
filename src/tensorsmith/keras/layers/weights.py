"""What a layer holds: its weights, the layers inside it, and their metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.keras.layers.tracking import Inside, Trackable, held, unique
from tensorsmith.keras.variable import Variable
from tensorsmith.state.variable import Variable as StateVariable

# counts assignments to attributes of built layers: what was traced before may no longer hold
changes = [0]


class WeightHolder(Trackable):
    """Finds, counts, reads and sets the weights of a layer and of the layers inside it."""

    name: str
    built: bool
    _weights: list[Variable]
    _trainable: bool

    def _held(self) -> list[Any]:
        """Variables, layers and metrics right inside, in order: weights first, as they were made."""
        return unique([*self._weights, *held(self, frozenset({"_weights"}))])

    def _children(self) -> list[Any]:
        return [thing for thing in self._held() if isinstance(thing, WeightHolder)]

    def _known(self, what: str, find: Callable[[], list[Any]]) -> list[Any]:
        """What `find()` gives, kept until something inside is changed; the list is the caller's own."""
        inside = self.__dict__.get("_inside")
        if inside is None or not inside.holds():
            inside = self.__dict__["_inside"] = Inside(self, _finds_as_usual)
        found = inside.found.get(what)
        if found is None:
            found = inside.found[what] = find()
        return list(found)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """This layer and those inside it, each once, outermost first."""
        if include_self and recursive:
            return self._known("layers", lambda: self._walk_layers(True, True))
        return self._walk_layers(include_self, recursive)

    def _walk_layers(self, include_self: bool, recursive: bool) -> list[Any]:
        found: dict[int, Any] = {id(self): self} if include_self else {}

        def walk(layer: Any) -> None:
            for child in layer._children():
                if id(child) not in found:
                    found[id(child)] = child
                    if recursive:
                        walk(child)

        walk(self)
        return list(found.values())

    @property
    def weights(self) -> list[Any]:
        """All weights: of this layer (trainable first), then of the layers inside it; no state of metrics."""
        return self._known("weights", self._find_weights)

    def _find_weights(self) -> list[Any]:
        own = [v for v in self._held() if isinstance(v, StateVariable)]
        own = [v for v in own if v.trainable] + [v for v in own if not v.trainable]
        return unique([*own, *(v for child in self._children() for v in child.weights)])

    def _saved_parts(self) -> dict[str, Any]:
        """What of it a saved model holds, where it is an attribute of a module."""
        return {"all_variables": self.variables}

    @property
    def variables(self) -> list[Any]:
        """The weights, and the state of metrics and random generators inside."""
        return self._known("variables", self._find_variables)

    def _find_variables(self) -> list[Any]:
        extra = [
            v for thing in self._held() if not isinstance(thing, (WeightHolder, StateVariable)) for v in thing.variables
        ]
        inner = [v for child in self._children() for v in child.variables]
        return unique([*self.weights, *extra, *inner])

    @property
    def trainable_weights(self) -> list[Any]:
        """The weights that training changes: none where `trainable` is False."""
        return self._known("trainable_weights", self._find_trainable_weights)

    def _find_trainable_weights(self) -> list[Any]:
        if not self.trainable:
            return []
        own = [v for v in self._held() if isinstance(v, StateVariable) and v.trainable]
        return unique([*own, *(v for child in self._children() for v in child.trainable_weights)])

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The weights that training leaves alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            object.__setattr__(layer, "_trainable", bool(value))
        changes[0] += 1

    @property
    def metrics(self) -> list[Any]:
        """The metrics in its attributes and in those of the layers inside."""
        own = [
            thing
            for thing in self._held()
            if not isinstance(thing, (WeightHolder, StateVariable)) and hasattr(thing, "result")
        ]
        return unique([*own, *(m for child in self._children() for m in child.metrics)])

    def get_weights(self) -> list[np.ndarray]:
        """The values of the weights, as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Sets all weights; ValueError, and nothing changed, when number or shapes differ."""
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(
                f"You called set_weights(weights) on layer {self.name!r} with {len(weights)} arrays, but it has "
                f"{len(variables)} weights. Their shapes are {[tuple(v.shape) for v in variables]}."
            )
        for variable, value in zip(variables, weights):
            if tuple(np.shape(value)) != tuple(variable.shape):
                raise ValueError(
                    f"Layer {self.name!r}: the weight {variable.name!r} has shape {tuple(variable.shape)}, "
                    f"the value given for it {tuple(np.shape(value))}."
                )
        for variable, value in zip(variables, weights):
            variable.assign(np.asarray(value, variable.dtype.numpy_dtype))

    def count_params(self) -> int:
        """The number of elements of all weights; ValueError before they are made."""
        if not self.built:
            raise ValueError(
                f"Layer {self.name!r} has no weights yet: call it on data, or `build(input_shape)` it, then count."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)


# what a class may define to find weights and layers in a way of its own
_FINDING = frozenset(
    "weights variables trainable_weights trainable_variables non_trainable_weights non_trainable_variables trainable "
    "_held _children _flatten_layers __getattribute__".split()
)
_usual: dict[type, bool] = {}


def _finds_as_usual(cls: type) -> bool:
    """True for a class whose weights and layers are those that stand in its attributes."""
    found = _usual.get(cls)
    if found is None:
        own = (c for c in cls.__mro__[:-1] if c.__module__.partition(".")[0] != "tensorsmith")
        found = _usual[cls] = not any(_FINDING.intersection(vars(c)) for c in own)
    return found
