"""Op: a name and one kernel over `xp`; the registry of all operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any  # a NumPy or JAX array: an argument annotated so is a value, all others are settings
Arrays = list  # a list of arrays, as the first argument of concat
Specs = list[tuple[tuple[int | None, ...], np.dtype]]

registry: dict[str, Op] = {}


class _Required:
    """Stands where a setting has no default."""

    def __repr__(self) -> str:
        return "(required)"


REQUIRED = _Required()


class Op:
    """One operation: `kernel(xp, *arrays, **settings)` with `xp` NumPy or jax.numpy.

    name      its name; in the registry names are unique.
    kernel    the function, written once over the namespace.
    arrays    names of the parameters that are values, in order.
    lists     those of them that take a list of arrays.
    optional  those of them that may be left out (None).
    settings  {name: default} of the parameters that are not values (`REQUIRED` where there is no default).
    same      True: the array arguments must be of one dtype.
    kinds     NumPy kind letters of the dtypes that it takes ("f" floats, "i" "u" ints, "b" bool, "c" complex, "O" strings).
    shapes    function(specs, settings) -> a list with the result's spec, a tuple of them for several results; None: the
              kernel is run on stand-ins.
    steady    those of the arrays that are constants to derivatives, whatever they were made from.
    eager     True: the size of the result hangs on values, so XLA cannot run it; programs that hold it run on NumPy.

    Its kernel may refuse values, as places out of range, on NumPy alone: a compiled program cannot raise. `guard`, set where
    such a kernel is written, is called in a trace with (arguments, settings, results) and adds a check to the program.
    """

    __slots__ = (
        "arrays",
        "differentiable",
        "doc",
        "eager",
        "guard",
        "kernel",
        "kinds",
        "links",
        "lists",
        "name",
        "optional",
        "order",
        "plain",
        "same",
        "settings",
        "shapes",
        "shared",
        "steady",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kernel: Callable[..., Any],
        *,
        same: bool = True,
        kinds: str = "fiubcO",
        shapes: Callable[[Specs, dict], Specs | tuple[Any, ...]] | None = None,
        eager: bool = False,
        differentiable: bool = True,
        steady: tuple[str, ...] = (),
    ) -> None:
        self.name, self.kernel, self.doc = name, kernel, kernel.__doc__
        self.same, self.kinds, self.shapes, self.eager, self.differentiable = same, kinds, shapes, eager, differentiable
        self.steady = frozenset(steady)
        self.guard: Callable[[list[Any], dict, Any], None] | None = None
        # for the rare operation of which some results do not depend on all it takes: results -> arrays (None: all)
        self.links: Callable[[list[int]], set[int] | None] | None = None
        arrays, lists, settings, optional = [], [], {}, []
        order, defaults = parameters(kernel)
        for parameter in order:
            kind = str(kernel.__annotations__.get(parameter))
            if "Array" in kind:
                arrays.append(parameter)
                if "Arrays" in kind:
                    lists.append(parameter)
                if parameter in defaults:
                    optional.append(parameter)
            else:
                settings[parameter] = defaults.get(parameter, REQUIRED)
        self.arrays, self.lists, self.settings = tuple(arrays), frozenset(lists), settings
        self.optional, self.order = frozenset(optional), order
        # which of the arrays must be of one dtype; and whether each is one array that must be given
        self.shared = tuple([self.same is True or (bool(self.same) and name in self.same) for name in arrays])
        self.plain = not lists and not optional

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def parameters(kernel: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of a kernel's parameters behind `xp`, and the defaults of those that have one.

    Read from the code object: `inspect.signature` of every kernel would cost 2 ms of the import.
    """
    function = getattr(kernel, "__func__", kernel)
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    values = function.__defaults__ or ()
    defaults = dict(zip(positional[len(positional) - len(values) :], values))
    defaults.update(function.__kwdefaults__ or {})
    first = 1 if function is kernel else 2
    return positional[first:] + named, defaults


def register(op: Op) -> Op:
    """Puts an operation in the registry; ValueError when the name is taken."""
    if op.name in registry:
        raise ValueError(f"There is already an operation named {op.name!r}.")
    registry[op.name] = op
    return op


def elementwise(specs: Specs, settings: dict) -> Specs:
    """The shape rule of elementwise operations: shapes broadcast, the dtype stays."""
    from tensorsmith.core.shapes import broadcast

    return [(broadcast(*(shape for shape, _ in specs)), specs[0][1])]


def predicate(specs: Specs, settings: dict) -> Specs:
    """The shape rule of comparisons: shapes broadcast, the result is boolean."""
    return [(elementwise(specs, settings)[0][0], np.dtype(bool))]


def pointwise(op: Op) -> bool:
    """True for an operation that makes each element of its result from the elements at the same place alone.

    The shape rule does not tell: the result of a cumulative sum, a sort or a softmax has the shape of its input too,
    but these go along an axis.
    """
    return op.shapes in (elementwise, predicate) and "axis" not in op.settings
