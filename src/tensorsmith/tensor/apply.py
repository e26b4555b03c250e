"""One call of an operation: run it on NumPy, note it on open tapes, or add a node. `@op` makes the public function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

import numpy as np

from tensorsmith.core import context, dtypes, ports
from tensorsmith.core.errors import InvalidArgumentError, OpError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import REQUIRED, Op, elementwise, parameters, predicate, register
from tensorsmith.program.quiet import quietly, way_in
from tensorsmith.tensor.arguments import converted, first_symbol, lifter_of, plain_tensors
from tensorsmith.tensor.refusals import refusal
from tensorsmith.tensor.tensor import Symbol, Tensor

Function = TypeVar("Function", bound=Callable[..., Any])
Arguments = ParamSpec("Arguments")

# every public function that `@op` made, by the operation's name
functions: dict[str, Callable[..., Any]] = {}

_new = object.__new__
_busy = context.busy
_local = context.local


@overload
def op(kernel: Callable[Concatenate[Any, Arguments], Any], **rules: Any) -> Callable[Arguments, Any]: ...
@overload
def op(
    kernel: None = None, **rules: Any
) -> Callable[[Callable[Concatenate[Any, Arguments], Any]], Callable[Arguments, Any]]: ...
def op(
    kernel: Any = None,
    *,
    quiet: bool = False,
    register_op: bool = True,
    name: str = "",
    direct: Callable[..., Any] | None = None,
    otherwise: Callable[[Op, Any, dict], Any] | None = None,
    **rules: Any,
) -> Any:
    """Makes the public function of an operation from its kernel.

    The kernel is `f(xp, x: Array, ..., setting=default)`: arguments annotated `Array` are values
    (`Array | None` optional, `Arrays` a list of them), all others settings. The function takes the
    kernel's arguments without `xp`, and TensorFlow's `name`, which names nothing here.

    name    the operation's name; by default the kernel's, without underscores at its ends.
    quiet   True: NumPy's warnings (division by zero, overflow) are kept silent, as the result shows them.
    direct  of one value: what the kernel does with (numpy, an array of float32) and no settings. It is called in the
            kernel's place, which saves the frame of the kernel and what it asks.
    otherwise   of one or two values without settings: called in the place of `apply` (op, arguments, settings) with all
            but plain tensors of `kinds`.
    rules   of `program.op.Op`: same, kinds, shapes, eager, differentiable.
    """
    if kernel is None:
        given = {"quiet": quiet, "register_op": register_op, "name": name, "direct": direct, "otherwise": otherwise}
        return lambda k: op(k, **given, **rules)
    made = Op(name or kernel.__name__.strip("_"), kernel, **rules)
    if quiet:
        made.kernel = quietly(kernel)
    if register_op:
        register(made)
    # a kernel that gives several arrays says so by what it is annotated to return
    if made.settings or made.lists or len(made.arrays) > 2 or "return" in kernel.__annotations__:
        function = _general(made, direct)
    elif len(made.arrays) == 1:
        function = _unary(made, direct, otherwise or apply)
    else:
        function = binary_function(made, otherwise or apply)
    function.__name__ = function.__qualname__ = kernel.__name__
    function.__module__, function.__doc__ = kernel.__module__, kernel.__doc__
    function.__signature__ = _signature(made, kernel)
    function.op = made
    functions[made.name] = function
    return function


def primitive(*, name: str = "", quiet: bool = False, **rules: Any) -> Callable[[Callable[..., Any]], Op]:
    """Makes an operation of a kernel, for a function that puts its arguments in order first (see `public`)."""

    def make(kernel: Callable[..., Any]) -> Op:
        made = Op(name or kernel.__name__.strip("_"), kernel, **rules)
        if quiet:
            made.kernel = quietly(kernel)
        return register(made)

    return make


def public(function: Function) -> Function:
    """Marks a function as the public face of the operation of its name: one whose arguments need thought first.

    Lower and upper floors find it in `functions`, as they find what `@op` made.
    """
    functions[function.__name__.strip("_")] = function
    return function


def by_element(function: Function) -> Function:
    """Marks a function of elements, which may look at its arguments: of ragged ones it sees the values without the rows."""

    @functools.wraps(function)
    def called(*args: Any, **settings: Any) -> Any:
        if len(args) == 1 and not settings and type(args[0]) is Tensor:
            return function(args[0])
        for value in (*args, *settings.values()):
            if type(value) in ports.by_element:
                bound = inspect.signature(function).bind(*args, **settings)
                return ports.by_element[type(value)](function, bound.args, bound.kwargs)
        return function(*args, **settings)

    return called  # type: ignore[return-value]


def _signature(made: Op, kernel: Any) -> inspect.Signature:
    given, kind = inspect.Parameter, inspect.Parameter.POSITIONAL_OR_KEYWORD
    notes, defaults = kernel.__annotations__, parameters(kernel)[1]
    rows = [
        given(n, kind, default=defaults.get(n, given.empty), annotation=notes.get(n, given.empty)) for n in made.order
    ]
    if "name" not in made.order:
        rows.append(given("name", given.KEYWORD_ONLY, default=None))
    return inspect.Signature(rows, __validate_parameters__=False)


# the classes whose objects hold a tensor that `_read()` gives; `state/variable.py` fills it
variables: set[type] = set()


class _Absent:
    def __repr__(self) -> str:
        return "(absent)"


_ABSENT = _Absent()
_REFUSED = (ValueError, TypeError, IndexError, OverflowError)


@functools.cache
def _dtypes_of(kinds: str) -> tuple[frozenset[np.dtype], np.dtype | None]:
    """NumPy's own dtypes of these kinds, and the commonest of them, which is asked for first.

    Not strings: an operation on one gives plain bytes, which `wrap` makes a tensor of.
    """
    known = frozenset([t for t in map(np.dtype, "?bhilqpBHILQPefdgFDG") if t.kind in kinds])
    return known, next((t for t in map(np.dtype, ("f4", "c8", "i4", "?")) if t in known), None)


def _short_way(made: Op, direct: Callable[..., Any] | None) -> tuple[Any, Any, Any, Any, Any]:
    """(run, inner, first, known, usual): run(inner, numpy, *arrays) is what the kernel gives for arrays of a dtype in
    `known`; of the commonest one, `usual`, so is run(first, numpy, *arrays)."""
    run, inner = way_in(made.kernel)
    return run, inner, direct or inner, *_dtypes_of(made.kinds)


def _unary(made: Op, direct: Callable[..., Any] | None, otherwise: Callable[[Op, Any, dict], Any]) -> Any:
    """A function of one value; what is no plain matter of a tensor goes to `otherwise`."""
    kernel, (run, inner, first, known, usual) = made.kernel, _short_way(made, direct)

    def unary(x: Any = _ABSENT, name: str | None = None) -> Any:
        if type(x) is Tensor and not _busy:
            array = x._array
            dtype = array.dtype
            way = first if dtype is usual else inner if dtype in known else None
            if way is not None:
                result = _new(Tensor)
                try:
                    result._array = run(way, np, array)
                except RuntimeError:
                    result._array = kernel(np, array)
                return result
        elif _local.graph is None:
            value = x if type(x) is Tensor else x._read() if type(x) in variables else None  # pyright: ignore[reportAttributeAccessIssue]
            if type(value) is Tensor and value._array.dtype in known:
                return _noted(made, [value], made.settings, kernel(np, value._array))
        return _bound(made, (), {}) if x is _ABSENT else otherwise(made, (x,), {})

    return _with_parameters(unary, made.arrays)


def binary_function(made: Op, otherwise: Callable[[Op, Any, dict], Any]) -> Any:
    """A function of two values; what is no plain matter of two tensors goes to `otherwise`."""
    kernel, settings, (run, inner, _, known, usual) = made.kernel, made.settings, _short_way(made, None)
    # (a quotient has a shape rule of its own, for the sake of integers)
    weak = made.shapes in (elementwise, predicate) or made.name == "divide"

    def binary(x: Any = _ABSENT, y: Any = _ABSENT, name: str | None = None) -> Any:
        if type(x) is Tensor and not _busy:
            a = x._array
            if type(y) is Tensor:
                b = y._array
                dtype = a.dtype
                if dtype is b.dtype and (dtype is usual or dtype in known):
                    try:
                        result = _new(Tensor)
                        result._array = run(inner, np, a, b)
                        return result
                    except _REFUSED:
                        pass  # told in full below
                    except RuntimeError:
                        return otherwise(made, (x, y), settings)
            elif weak and (type(y) is int or type(y) is float) and (a.dtype.kind == "f" or type(y) is int):
                kind = a.dtype.kind
                if a.dtype in known and (kind == "f" or (kind == "i" and -128 <= y < 128)):
                    result = _new(Tensor)
                    # an array without axes: beside an array NumPy takes 0.1 µs longer for a scalar
                    result._array = kernel(np, a, np.array(y, a.dtype))
                    return result
            elif type(y) in variables:
                b = y._read()  # pyright: ignore[reportAttributeAccessIssue]
                if type(b) is Tensor and a.dtype is b._array.dtype and a.dtype in known:
                    try:
                        result = _new(Tensor)
                        result._array = kernel(np, a, b._array)
                        return result
                    except _REFUSED:
                        pass  # told in full below
        elif type(x) is Tensor and _local.graph is None:
            a, other = x._array, _second(y, x._array.dtype, weak)
            if other is not None and a.dtype is other._array.dtype and a.dtype in known:
                try:
                    return _noted(made, [x, other], settings, kernel(np, a, other._array))
                except _REFUSED:
                    pass  # told in full below
        if x is _ABSENT or y is _ABSENT:
            return _bound(made, (), {key: v for key, v in zip(made.arrays, (x, y)) if v is not _ABSENT})
        return otherwise(made, (x, y), settings)

    return _with_parameters(binary, made.arrays)


def _with_parameters(function: Any, names: tuple[str, ...]) -> Any:
    """The function, whose first parameters are called so: Python then binds keywords without a dict for those unknown."""
    code = function.__code__
    function.__code__ = code.replace(co_varnames=(*names, *code.co_varnames[len(names) :]))
    return function


def _second(y: Any, dtype: Any, weak: bool) -> Tensor | None:
    """The second of two operands as a plain tensor, where it is one, or a variable, or a number beside floats."""
    kind = type(y)
    if kind is Tensor:
        return y
    if kind in variables:
        value = y._read()
        return value if type(value) is Tensor else None
    if weak and dtype.kind == "f" and (kind is float or kind is int):
        tensor = _new(Tensor)
        tensor._array = dtype.type(y)
        return tensor
    return None


def _noted(made: Op, inputs: list[Any], settings: dict, array: Any) -> Tensor:
    """The result of a call that this thread's tapes are told of."""
    result = _new(Tensor)
    result._array = array
    for tape in _local.tapes:
        tape.record((made, inputs, settings, result))
    return result


def _general(made: Op, direct: Callable[..., Any] | None) -> Any:
    kernel, (run, inner, first, known, usual) = made.kernel, _short_way(made, direct)
    defaults, count = made.settings, len(made.arrays)
    plain_first = not made.lists and not made.optional and made.order[:count] == made.arrays
    plain_first = plain_first and (made.same is True or count == 1)
    rest = made.order[count:]
    # whether arrays alone make a call: the commonest form, kept free of lists and loops
    alone = plain_first and REQUIRED not in defaults.values()
    one, two = alone and count == 1, alone and count == 2
    single = made.shapes in (elementwise, predicate)

    def general(x: Any = _ABSENT, *others: Any, **named: Any) -> Any:
        if not _busy and not named and type(x) is Tensor:
            if one:
                array = x._array
                dtype = array.dtype
                way = first if dtype is usual else inner if dtype in known else None
                if not others and way is not None:
                    try:
                        array = run(way, np, array)
                    except (*_REFUSED, RuntimeError):
                        pass  # told in full below
                    else:
                        if single or not isinstance(array, (tuple, list)):
                            result = _new(Tensor)
                            result._array = array
                            return result
                        return _wrapped(array)
            elif two and len(others) == 1:
                (y,) = others
                if type(y) is Tensor:
                    a, b = x._array, y._array
                    dtype = a.dtype
                    if dtype is b.dtype and (dtype is usual or dtype in known):
                        try:
                            array = run(inner, np, a, b)
                        except (*_REFUSED, RuntimeError):
                            pass  # told in full below
                        else:
                            if single or not isinstance(array, (tuple, list)):
                                result = _new(Tensor)
                                result._array = array
                                return result
                            return _wrapped(array)
        args = others if x is _ABSENT else (x, *others)
        if plain_first and (not _busy or _local.graph is None) and len(args) >= count:
            arrays, tensors = [], []
            for value in args[:count]:
                if type(value) is not Tensor:
                    if type(value) not in variables:
                        break
                    value = value._read()  # pyright: ignore[reportAttributeAccessIssue]
                    if type(value) is not Tensor:
                        break
                arrays.append(value._array)
                tensors.append(value)
            else:
                if len(args) > count:
                    fits = len(args) <= len(made.order) and not named
                    settings = dict(zip(rest, args[count:]))
                else:
                    fits, settings = True, named
                dtype = arrays[0].dtype
                for array in arrays:
                    fits = fits and array.dtype is dtype
                for key, value in settings.items():
                    fits = fits and key in defaults and type(value) in _PLAIN
                if fits and dtype in known:
                    try:
                        results = kernel(np, *arrays, **settings)
                    except _REFUSED:
                        pass  # a missing setting, or shapes that do not fit: told in full below
                    else:
                        if isinstance(results, (tuple, list)):
                            wrapped = _wrapped(results)
                        else:
                            wrapped = _new(Tensor)
                            wrapped._array = results
                        if _busy and _local.tapes:
                            full = {**defaults, **settings} if settings else defaults
                            for tape in _local.tapes:
                                tape.record((made, tensors, full, wrapped))
                        return wrapped
        return _bound(made, args, named)

    return general


_PLAIN = frozenset({int, bool, float, type(None)})


def _bound(made: Op, args: tuple, named: dict) -> Any:
    """One call with its arguments put in their places, as Python does; settings made plain."""
    order = made.order
    named.pop("name", None)
    if len(args) > len(order):
        # TensorFlow's functions take `name` last
        if len(args) == len(order) + 1 and (args[-1] is None or isinstance(args[-1], str)):
            args = args[:-1]
        else:
            raise TypeError(f"{made.name}() takes {len(order)} arguments but {len(args)} were given")
    given = dict(zip(order, args))
    for key in named:
        if key not in order or key in given:
            wrong = "got several values for" if key in given else "got an unexpected keyword"
            raise TypeError(f"{made.name}() {wrong} argument {key!r}; it takes {', '.join(order)}")
    given.update(named)
    settings = {}
    for key, default in made.settings.items():
        value = settings[key] = plain_setting(key, given[key]) if key in given else default
        if value is REQUIRED:
            raise TypeError(f"{made.name}() is missing the argument {key!r}")
    values = []
    for key in made.arrays:
        if key not in given and key not in made.optional:
            raise TypeError(f"{made.name}() is missing the argument {key!r}")
        values.append(given.get(key))
    # a tape knows the defaults by their identity, and need not look at them
    return apply(made, values, made.settings if settings == made.settings else settings)


def plain_setting(key: str, value: Any) -> Any:
    """A setting as kernels take it: NumPy dtypes, Python numbers, tuples of them; never a tensor."""
    if type(value) in _PLAIN or (type(value) is str and key not in _DTYPES):
        return value
    if key in _DTYPES:
        return dtypes.as_dtype(value).numpy_dtype
    return plain(value, key)


_DTYPES = frozenset({"dtype", "output_type", "out_type"})


def plain(value: Any, who: str = "a setting") -> Any:
    """Tensors and arrays in a setting as Python values, lists as tuples."""
    if isinstance(value, (list, tuple)):
        return tuple([plain(part, who) for part in value])
    if hasattr(value, "_read"):
        value = value._read()
    if isinstance(value, Symbol):
        raise InvalidArgumentError(
            explain(
                who,
                "a value that is known only when the program runs was given where one is needed to build it",
                {"given": describe(value)},
                "it must be a Python value or a tensor made outside of the traced function",
            )
        )
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        found = np.asarray(value).tolist()
        return tuple(map(plain, found)) if isinstance(found, list) else found
    if isinstance(value, dtypes.DType):
        return value.numpy_dtype
    return value


def apply(op: Op, arguments: Any, settings: dict) -> Any:
    """Applies an operation to anything that can become tensors.

    arguments: one for each of `op.arrays`, in order; a list for a list argument; None for one not given.
    """
    if op.plain and _local.graph is None:
        quick = plain_tensors(op, arguments)
        if quick is not None:
            return _run(op, quick, [t._array for t in quick], settings)
    elif _local.graph is None and len(arguments) == 1 and op.lists and op.shared[0]:
        # a list of plain tensors, as the terms of a loss
        parts = list(arguments[0]) if type(arguments[0]) in (list, tuple) else []
        arrays = [part._array for part in parts if type(part) is Tensor]
        if (
            parts
            and len(arrays) == len(parts)
            and len({a.dtype for a in arrays}) == 1
            and arrays[0].dtype.kind in op.kinds
        ):
            return _run(op, [parts], [arrays], settings)
    if ports.lifters:
        lifter = lifter_of(arguments)
        if lifter is not None:
            return lifter(op, tuple(arguments), settings)
    tensors = converted(op, arguments)
    symbol = first_symbol(tensors)
    if symbol is None and _local.hidden and _local.graph is not None and op.differentiable and _heard(tensors):
        # a tape that was opened outside of this trace must hear of it, through the program
        symbol = _local.graph
    if symbol is not None:
        graph = _local.graph or symbol._graph
        try:
            results = graph.call(op, tensors, settings)
        except OpError:
            raise
        except (ValueError, TypeError, IndexError) as error:
            raise InvalidArgumentError(refusal(op, tensors, settings, error)) from None
        if op.guard is not None and _local.guards and _local.graph is not None:
            op.guard(tensors, settings, results)
        return results
    arrays = [[t._array for t in x] if type(x) is list else None if x is None else x._array for x in tensors]
    return _run(op, tensors, arrays, settings)


def _heard(tensors: list[Any]) -> bool:
    return any([_heard(t) if type(t) is list else t is not None and context.hears(t) for t in tensors])  # noqa: C419


def _run(op: Op, tensors: list[Any], arrays: list[Any], settings: dict) -> Any:
    """Runs the kernel on NumPy and tells this thread's tapes."""
    try:
        results = op.kernel(np, *arrays, **settings)
    except OpError:
        raise
    except _REFUSED as error:
        raise InvalidArgumentError(refusal(op, tensors, settings, error)) from None
    if type(results) is np.ndarray:
        wrapped: Any = _new(Tensor)
        wrapped._array = results
    else:
        wrapped = _wrapped(results) if isinstance(results, (tuple, list)) else wrap(results)
    for tape in _local.tapes:
        tape.record((op, tensors, settings, wrapped))
    return wrapped


def _wrapped(results: Any) -> Any:
    return getattr(type(results), "_make", type(results))([wrap(r) for r in results])


def wrap(array: Any) -> Tensor:
    """A Tensor around what a kernel gave."""
    tensor = _new(Tensor)
    tensor._array = array if isinstance(array, (np.ndarray, np.generic)) else _as_array(array)
    return tensor


def _as_array(value: Any) -> Any:
    return np.array(value, object) if isinstance(value, bytes) else np.asarray(value)
