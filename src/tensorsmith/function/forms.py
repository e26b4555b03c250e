"""The traced forms of one function, and which of them a call means."""

from __future__ import annotations

from typing import Any

from tensorsmith.function.concrete import ConcreteFunction
from tensorsmith.function.retracing import Retraces
from tensorsmith.function.signature import Key, Remembered, without_shapes

Shapes = list[tuple[int | None, ...]]


class Forms:
    """The traced forms of one function (of a method: for one object).

    A call means the form that was traced for its key; where there is none, the closest of those whose shapes hold
    None in the place of its sizes.
    """

    def __init__(self) -> None:
        self.exact: dict[Any, ConcreteFunction] = {}
        self.kinds: dict[Any, list[tuple[Shapes, ConcreteFunction]]] = {}
        self.keep: list[Any] = []
        self.remembered = Remembered()
        # how many times the Python code ran
        self.count = 0
        self.retraces = Retraces()
        self._weak: dict[Any, tuple[Any, Key]] = {}
        # the keys being traced now: a function that meets its own key there calls itself
        self.under_way: list[Any] = []
        # variables may be made in the first trace only: later ones would make them anew
        self.made_variables = False

    def all(self) -> list[ConcreteFunction]:
        """Every form, in the order of tracing."""
        return list({id(form): form for form in self.exact.values()}.values())

    def general(self, key: Key) -> ConcreteFunction | None:
        """The closest form whose shapes take those of the key; remembered for the next such call."""
        given = [tuple(tensor.shape) for tensor in key.tensors]
        found = [
            (sum(size is None for shape in shapes for size in shape), at, form)
            for at, (shapes, form) in enumerate(self.kinds.get(without_shapes(key.key), ()))
            if all(_takes(own, other) for own, other in zip(shapes, given))
        ]
        if not found:
            return None
        form = min(found)[2]
        self._note(key, form)
        return form

    def relaxed(self, key: Key) -> Shapes | None:
        """The shapes of the key with None for each size in which the forms before differ; None where there is none."""
        others = self.kinds.get(without_shapes(key.key))
        if not others:
            return None
        shapes: Shapes = [tuple(tensor.shape) for tensor in key.tensors]
        for before, _ in others:
            shapes = [tuple([a if a == b else None for a, b in zip(s, t)]) for s, t in zip(shapes, before)]
        return shapes

    def add(self, key: Key, shapes: Shapes | None, form: ConcreteFunction) -> None:
        """A new form for calls of this key (and, with `shapes`, of all that they take)."""
        self._sweep()
        if shapes is None:
            shapes = [tuple(tensor.shape) for tensor in key.tensors]
        self.kinds.setdefault(without_shapes(key.key), []).append((shapes, form))
        self.keep.extend(key.keep)
        self._note(key, form)

    def _note(self, key: Key, form: ConcreteFunction) -> None:
        self.exact[key.key] = form
        if key.objects:
            self._weak[key.key] = without_shapes(key.key), key

    def _sweep(self) -> None:
        """Drops the forms for objects that are gone: no call can mean them."""
        for known, (kind, key) in list(self._weak.items()):
            if any(weak.reference() is None for weak in key.objects):
                # a dead reference is equal to nothing, so it is found by identity
                self.exact = {k: form for k, form in self.exact.items() if k is not known}
                self.kinds = {k: rows for k, rows in self.kinds.items() if not _same_parts(k, kind)}
                self._weak = {k: row for k, row in self._weak.items() if k is not known}


def _same_parts(a: Any, b: Any) -> bool:
    if type(a) is tuple and type(b) is tuple:
        return len(a) == len(b) and all(map(_same_parts, a, b))
    return a is b or type(a) is type(b) and not hasattr(a, "reference") and a == b


def _takes(own: tuple[int | None, ...], given: tuple[int | None, ...]) -> bool:
    return len(own) == len(given) and all(a is None or a == b for a, b in zip(own, given))
