"""A Program as one straight Python function of NumPy calls: those that its kernels make, without the kernels.

A kernel is a pure function that asks no array for its value, so the NumPy calls that it makes for arrays of one shape
and dtype are always the same. They are noted once, on stand-ins, and written one a line. The results have the bits that
the operations give one by one, as the same calls are made; what falls away is all that stands around them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.program.lower import GRADIENT, arguments
from tensorsmith.program.program import Node, Program
from tensorsmith.program.quiet import way_in


class NotStraight(Exception):
    """A value is asked for while only its shape and dtype are known, or the program holds a gradient."""


class Straight:
    """The lines of a program for arrays of certain shapes and dtypes.

    program   without gradient nodes.
    inputs    arrays that stand for its inputs, captures for what its variables hold.

    In the function that `written` gives, the value of id n is the name `v{n}`.
    """

    def __init__(self, program: Program, inputs: list[Any], captures: list[Any]) -> None:
        self.program = program
        # what the lines call and the constants that they use, by name
        self.names: dict[str, Any] = {"np": np, "run": None, "asarray": np.asarray}
        self._lines: list[tuple[str, tuple[str, ...], str]] = []
        self._known: dict[int, tuple[Any, str]] = {}
        self._count = 0
        self._arrays: dict[str, Any] = {}
        env: dict[int, Any] = {number: _plain(array) for number, array in program.constants.items()}
        starts = [*zip(program.inputs, inputs), *zip([number for _, number in program.captures], captures)]
        for number, array in starts:
            env[number] = _Value(self, _plain(array), f"v{number}")
        for node in program.nodes:
            self._node(node, env)
        self._env = env

    def example(self, number: int) -> Any:
        """The value of this id for the arrays that stood for inputs and captures."""
        value = self._env[number]
        return value._array if type(value) is _Value else value

    def name(self, number: int) -> str:
        """How the value of this id is called in the lines."""
        return self._text(self._env[number])

    def written(self, head: str, before: list[str], after: list[str], needed: list[int]) -> Callable[..., Any]:
        """A function with these lines in its middle, as far as the values of the ids in `needed` need them."""
        alive = {self.name(number) for number in needed}
        kept: list[str] = []
        for made, used, text in reversed(self._lines):
            if made in alive:
                alive.update(used)
                kept.append(f"    {made} = {text}")
        lines = [head, *(f"    {line}" for line in before), *kept[::-1], *(f"    {line}" for line in after)]
        # made of the names of NumPy functions and of numbers: nothing of the user's text is in it
        exec("\n".join(lines), self.names)
        # as a decorator errstate costs less than as a `with` block
        return np.errstate(all="ignore")(self.names["run"])

    # ---- noting

    def _node(self, node: Node, env: dict[int, Any]) -> None:
        if node.op is GRADIENT:
            raise NotStraight
        given = arguments(node, env)
        before = len(self._lines)
        try:
            results = node.op.kernel(np, *given, **node.settings)
        except NotStraight:
            # the kernel looks at values: it is called as it is
            del self._lines[before:]
            # (this one is silent as a whole)
            results = self.call(way_in(node.op.kernel)[1], (np, *given), node.settings)
        if len(node.outputs) == 1 and not isinstance(results, (tuple, list)):
            env[node.outputs[0]] = results
        else:
            env.update(zip(node.outputs, results))

    def call(self, function: Callable[..., Any], args: tuple, kwargs: dict[str, Any], text: str = "") -> Any:
        """Notes one call: its result for the stand-ins, as values that stand for it."""
        used: list[str] = []
        result = function(*_arrays(args), **_arrays(kwargs))
        if not text:
            parts = [self._text(a, used) for a in args]
            parts += [f"{key}={self._text(value, used)}" for key, value in kwargs.items()]
            text = f"{self._called(function)}({', '.join(parts)})"
        else:
            text = text.format(*[self._text(a, used) for a in args])
        return self._result(result, text, tuple(used))

    def as_array(self, value: Any) -> Any:
        """A scalar as a 0-d array; anything else as it is."""
        if isinstance(value, np.generic):
            found = self._arrays.get(value.dtype.str + repr(value))
            if found is None:
                found = self._arrays[value.dtype.str + repr(value)] = np.asarray(value)
            return found
        if type(value) is not _Value or value.shape:
            return value
        found = self._arrays.get(value._name)
        if found is None:
            name = f"{value._name}_"
            self._lines.append((name, (value._name,), f"asarray({value._name})"))
            found = self._arrays[value._name] = _Value(self, np.asarray(value._array), name)
        return found

    def _result(self, result: Any, text: str, used: tuple[str, ...]) -> Any:
        name = f"t{self._count}"
        self._count += 1
        if isinstance(result, (np.ndarray, np.generic)):
            if isinstance(result, np.ndarray) and not result.ndim:
                result, text = result[()], f"{text}[()]"
            self._lines.append((name, used, text))
            return _Value(self, result, name)
        if isinstance(result, (tuple, list)) and all(isinstance(r, (np.ndarray, np.generic)) for r in result):
            self._lines.append((name, used, text))
            parts = [self._result(part, f"{name}[{at}]", (name,)) for at, part in enumerate(result)]
            return getattr(type(result), "_make", type(result))(parts)
        raise NotStraight

    def _called(self, function: Any) -> str:
        name = getattr(function, "__name__", "function")
        if isinstance(getattr(function, "__self__", None), np.ufunc):
            name = f"{function.__self__.__name__}_{name}"
        return self._bound(function, name if name.isidentifier() else "function")

    def _bound(self, thing: Any, name: str) -> str:
        """The name of a thing that is no literal; one name a thing."""
        found = self._known.get(id(thing))
        if found is None:
            if name in self.names:
                name = f"{name}_{len(self.names)}"
            self.names[name] = thing
            found = self._known[id(thing)] = thing, name
        return found[1]

    def _text(self, value: Any, used: list[str] | None = None) -> str:
        if type(value) is _Value:
            if used is not None:
                used.append(value._name)
            return value._name
        if value is None or value is np or type(value) in (bool, int):
            return "np" if value is np else repr(value)
        if type(value) in (list, tuple) and _holds_value(value):
            parts = ", ".join(self._text(part, used) for part in value)
            return f"[{parts}]" if type(value) is list else f"({parts},)"
        if type(value) is dict and _holds_value(value):
            raise NotStraight
        return self._bound(value, "c")


def _plain(array: Any) -> Any:
    """Scalars are never 0-d arrays here: Python's own operators are ten times faster on them."""
    return array if np.ndim(array) else array[()]


def _holds_value(value: Any) -> bool:
    if type(value) is _Value:
        return True
    if isinstance(value, dict):
        return any(map(_holds_value, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_holds_value, value))


def _arrays(value: Any) -> Any:
    """A nested argument with arrays in the place of the values that stand for them."""
    if type(value) is _Value:
        return value._array
    if type(value) in (list, tuple):
        return type(value)([_arrays(part) for part in value])
    if type(value) is dict:
        return {key: _arrays(part) for key, part in value.items()}
    return value


# what NumPy tells of an array without its values
_STATIC = frozenset([np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj])
# what hangs on the shape and dtype of an array alone
_ALIKE = frozenset([np.zeros_like, np.ones_like])
# reductions that give a single element as it is
_OF_ONE = frozenset([np.add, np.multiply, np.maximum, np.minimum])
# Python's operators, on scalars as exact as NumPy's functions and ten times faster
_OPERATORS = {np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.true_divide: "{} / {}"}


class _Value:
    """Stands for an array in a kernel: NumPy's functions, methods and operators on it are noted."""

    __slots__ = ("_array", "_name", "_notes")

    def __init__(self, notes: Straight, array: Any, name: str) -> None:
        self._notes, self._array, self._name = notes, array, name

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        if "out" in settings or method not in ("__call__", "reduce", "accumulate", "outer"):
            raise NotStraight
        if method == "reduce" and not {"initial", "where"}.intersection(settings):
            order = [settings.get("axis", 0), settings.get("dtype"), None, bool(settings.get("keepdims", False))]
            if not self.shape and order[0] is None and ufunc in _OF_ONE and order[1] in (None, self.dtype):
                return self
            return self._notes.call(ufunc.reduce, (*inputs, *order), {})
        if method == "__call__" and ufunc in _OPERATORS and not settings and all(map(_is_scalar, inputs)):
            return self._notes.call(ufunc, inputs, {}, _OPERATORS[ufunc])
        if method == "__call__" and any(map(np.ndim, _arrays(inputs))):
            # beside an array a 0-d array saves a conversion of half the call's time
            inputs = tuple([self._notes.as_array(value) for value in inputs])
        return self._notes.call(ufunc if method == "__call__" else getattr(ufunc, method), inputs, settings)

    def __array_function__(self, function: Any, types: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        if "out" in kwargs:
            raise NotStraight
        if function in _STATIC:
            return function(*_arrays(args), **_arrays(kwargs))
        if function in _ALIKE:
            return _plain(function(*_arrays(args), **_arrays(kwargs)))
        if function is np.where and len(args) == 3 and _alternatives(*args):
            return self._notes.call(function, args, kwargs, "({1} if {0} else {2})")
        return self._notes.call(function, args, kwargs)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NotStraight

    __bool__ = __int__ = __float__ = __complex__ = __index__ = __iter__ = __contains__ = __setitem__ = __array__

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def dtype(self) -> np.dtype:
        return self._array.dtype

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def size(self) -> int:
        return self._array.size

    @property
    def itemsize(self) -> int:
        return self._array.itemsize

    def __len__(self) -> int:
        return len(self._array)

    @property
    def T(self) -> Any:
        return self._notes.call(operator.attrgetter("T"), (self,), {}, "{}.T")

    @property
    def real(self) -> Any:
        return self._notes.call(operator.attrgetter("real"), (self,), {}, "{}.real")

    @property
    def imag(self) -> Any:
        return self._notes.call(operator.attrgetter("imag"), (self,), {}, "{}.imag")

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise NotStraight

        def method(*args: Any, **kwargs: Any) -> Any:
            if "out" in kwargs:
                raise NotStraight
            keys = list(kwargs)
            places = ["{}"] * len(args) + [f"{key}={{}}" for key in keys]
            text = f"{{}}.{name}({', '.join(places)})"

            def call(array: Any, *rest: Any) -> Any:
                named = dict(zip(keys, rest[len(args) :]))
                return getattr(array, name)(*rest[: len(args)], **named)

            return self._notes.call(call, (self, *args, *kwargs.values()), {}, text)

        return method

    def __getitem__(self, key: Any) -> Any:
        return self._notes.call(operator.getitem, (self, key), {}, "{}[{}]")


# methods that leave the array as it is
_METHODS = frozenset(
    "reshape astype sum mean prod max min any all transpose ravel copy squeeze swapaxes cumsum cumprod take repeat "
    "clip round dot argmax argmin argsort conj conjugate flatten nonzero var std view diagonal trace".split()
)


def _alternatives(which: Any, yes: Any, no: Any) -> bool:
    """True where the choice is one between two scalars of one dtype."""
    which, yes, no = _arrays((which, yes, no))
    return isinstance(which, np.bool_) and isinstance(yes, np.generic) and type(yes) is type(no)


def _is_scalar(value: Any) -> bool:
    """True for scalars on which Python's operator does just what NumPy's function does."""
    array = value._array if type(value) is _Value else value
    return isinstance(array, _SCALARS)


_SCALARS: tuple[Any, ...] = (np.float32, np.float64, np.int32, np.int64)


def _forward(function: Any, sign: str) -> Any:
    return lambda self, other: self._notes.call(function, (self, other), {}, f"{{}} {sign} {{}}")


def _backward(function: Any, sign: str) -> Any:
    return lambda self, other: self._notes.call(function, (other, self), {}, f"{{}} {sign} {{}}")


for _name, _sign in {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "and": "&", "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>",
}.items():  # fmt: skip
    _function = getattr(operator, f"__{_name}__")
    setattr(_Value, f"__{_name}__", _forward(_function, _sign))
    setattr(_Value, f"__r{_name}__", _backward(_function, _sign))
for _name, _sign in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
    setattr(_Value, f"__{_name}__", _forward(getattr(operator, _name), _sign))
for _name, _ufunc in {"neg": np.negative, "invert": np.invert, "abs": np.absolute, "pos": np.positive}.items():
    setattr(_Value, f"__{_name}__", lambda self, ufunc=_ufunc: ufunc(self))
