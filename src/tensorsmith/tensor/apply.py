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
from tensorsmith.program.quiet import quietly
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.refusals import check_dtypes, refusal
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
def op(kernel: Any = None, *, quiet: bool = False, register_op: bool = True, name: str = "", **rules: Any) -> Any:
    """Makes the public function of an operation from its kernel.

    The kernel is `f(xp, x: Array, ..., setting=default)`: arguments annotated `Array` are values
    (`Array | None` optional, `Arrays` a list of them), all others settings. The function takes the
    kernel's arguments without `xp`, and TensorFlow's `name`, which names nothing here.

    name    the operation's name; by default the kernel's, without underscores at its ends.
    quiet   True: NumPy's warnings (division by zero, overflow) are kept silent, as the result shows them.
    rules   of `program.op.Op`: same, kinds, shapes, eager, differentiable.
    """
    if kernel is None:
        return lambda k: op(k, quiet=quiet, register_op=register_op, name=name, **rules)
    made = Op(name or kernel.__name__.strip("_"), kernel, **rules)
    if quiet:
        made.kernel = quietly(kernel)
    if register_op:
        register(made)
    # a kernel that gives several arrays says so by what it is annotated to return
    if made.settings or made.lists or len(made.arrays) > 2 or "return" in kernel.__annotations__:
        function = _general(made)
    elif len(made.arrays) == 1:
        function = _unary(made)
    else:
        function = _binary(made, apply)
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


def _unary(made: Op) -> Any:
    # an operation on a string gives plain bytes, which `wrap` must make a tensor of: not on the short way
    kernel, kinds = made.kernel, made.kinds.replace("O", "")

    def unary(x: Any = _ABSENT, name: str | None = None, **named: Any) -> Any:
        if type(x) is Tensor and not _busy:
            array = x._array
            if array.dtype.kind in kinds:
                result = _new(Tensor)
                result._array = kernel(np, array)
                return result
        elif _local.graph is None and not named:
            value = x if type(x) is Tensor else x._read() if type(x) in variables else None  # pyright: ignore[reportAttributeAccessIssue]
            if type(value) is Tensor and value._array.dtype.kind in kinds:
                return _noted(made, [value], made.settings, kernel(np, value._array))
        if named or x is _ABSENT:
            return _bound(made, () if x is _ABSENT else (x,), named)
        return apply(made, (x,), {})

    return unary


def _binary(made: Op, otherwise: Callable[[Op, Any, dict], Any]) -> Any:
    """A function of two values; what is no plain matter of two tensors goes to `otherwise`."""
    kernel, kinds, settings = made.kernel, made.kinds.replace("O", ""), made.settings
    # (a quotient has a shape rule of its own, for the sake of integers)
    weak = made.shapes in (elementwise, predicate) or made.name == "divide"

    def binary(x: Any = _ABSENT, y: Any = _ABSENT, name: str | None = None, **named: Any) -> Any:
        if type(x) is Tensor and not _busy:
            a = x._array
            if type(y) is Tensor:
                b = y._array
                if a.dtype is b.dtype and a.dtype.kind in kinds:
                    try:
                        result = _new(Tensor)
                        result._array = kernel(np, a, b)
                        return result
                    except _REFUSED:
                        pass  # told in full below
            elif weak and (type(y) is int or type(y) is float) and (a.dtype.kind == "f" or type(y) is int):
                kind = a.dtype.kind
                if kind in kinds and (kind == "f" or (kind == "i" and -128 <= y < 128)):
                    result = _new(Tensor)
                    result._array = kernel(np, a, a.dtype.type(y))
                    return result
            elif type(y) in variables:
                b = y._read()  # pyright: ignore[reportAttributeAccessIssue]
                if type(b) is Tensor and a.dtype is b._array.dtype and a.dtype.kind in kinds:
                    try:
                        result = _new(Tensor)
                        result._array = kernel(np, a, b._array)
                        return result
                    except _REFUSED:
                        pass  # told in full below
        elif type(x) is Tensor and _local.graph is None and not named:
            a, other = x._array, _second(y, x._array.dtype, weak)
            if other is not None and a.dtype is other._array.dtype and a.dtype.kind in kinds:
                try:
                    return _noted(made, [x, other], settings, kernel(np, a, other._array))
                except _REFUSED:
                    pass  # told in full below
        if named or y is _ABSENT:
            return _bound(made, tuple([v for v in (x, y) if v is not _ABSENT]), named)
        return otherwise(made, (x, y), settings)

    return binary


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


def operator_pair(function: Any) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """What Python calls for `x + y` and, reflected, for `2 + y`, of the public function of an operation.

    Both give NotImplemented for an object that means nothing to us, so that its own operators get their turn.
    """
    made = function.op
    forward = _binary(made, _operate)

    def reflected(y: Any, x: Any) -> Any:
        return _operate(made, (x, y), made.settings)

    forward.__name__ = reflected.__name__ = made.name
    return forward, reflected


def _operate(made: Op, arguments: Any, settings: dict) -> Any:
    for value in arguments:
        kind = type(value)
        if kind is not Tensor and kind not in variables and kind is not float and not _means_something(value):
            return NotImplemented
    return apply(made, arguments, settings)


# of tensors and the structures that operations know
_HIGHEST = 110


def _means_something(value: Any) -> bool:
    # an array on top of tensors has operators of its own, that know more
    if getattr(value, "__array_priority__", 0) > _HIGHEST:
        return False
    return (
        hasattr(value, "_read")
        or isinstance(value, (Tensor, np.ndarray, np.generic, int, float, complex, str, bytes, list, tuple))
        or hasattr(value, "__array__")
        or type(value) in ports.lifters
        or ports.converter_of(value) is not None
    )


def _general(made: Op) -> Any:
    kernel, kinds, defaults = made.kernel, made.kinds.replace("O", ""), made.settings
    count = len(made.arrays)
    plain_first = not made.lists and not made.optional and made.order[:count] == made.arrays
    plain_first = plain_first and (made.same is True or count == 1)
    rest = made.order[count:]
    complete = REQUIRED not in defaults.values()

    def general(*args: Any, **named: Any) -> Any:
        if plain_first and (not _busy or _local.graph is None) and len(args) >= count:
            if len(args) == count == 1 and complete and not named and not _busy:
                (x,) = args
                if type(x) is Tensor and x._array.dtype.kind in kinds:
                    try:
                        array = kernel(np, x._array)
                    except _REFUSED:
                        return _bound(made, args, named)
                    if isinstance(array, (tuple, list)):
                        return _wrapped(array)
                    result = _new(Tensor)
                    result._array = array
                    return result
            if len(args) == count == 2 and not named and not _busy:
                # the commonest form, kept free of lists and loops
                x, y = args
                if type(x) is Tensor and type(y) is Tensor:
                    a, b = x._array, y._array
                    if a.dtype is b.dtype and a.dtype.kind in kinds:
                        try:
                            array = kernel(np, a, b)
                        except _REFUSED:
                            return _bound(made, args, named)
                        if isinstance(array, (tuple, list)):
                            return _wrapped(array)
                        result = _new(Tensor)
                        result._array = array
                        return result
            arrays, tensors = [], []
            for value in args[:count]:
                if type(value) is not Tensor:
                    if type(value) not in variables:
                        break
                    value = value._read()
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
                if fits and dtype.kind in kinds:
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
        quick = _plain_tensors(op, arguments)
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
        lifter = _lifter(arguments)
        if lifter is not None:
            return lifter(op, tuple(arguments), settings)
    tensors = _convert_all(op, arguments)
    symbol = _first_symbol(tensors)
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


def _plain_tensors(op: Op, arguments: Any) -> list[Tensor] | None:
    """Tensors, variables and Python numbers that fit the operation as they are; None where there is more to decide.

    Nearly every call under a tape is of this kind, and the whole of `_convert_all` costs three times the arithmetic.
    """
    tensors: list[Any] = []
    dtype: Any = None
    numbers = False
    for value, shared in zip(arguments, op.shared):
        kind = type(value)
        if kind is float or kind is int:
            numbers = True
            tensors.append(value)
            continue
        if kind is not Tensor:
            if not hasattr(kind, "_read"):
                return None
            value = value._read()
            if type(value) is not Tensor:
                return None
        tensors.append(value)
        if shared:
            own = value._array.dtype
            if dtype is None:
                dtype = own
            elif own is not dtype:
                return None
    if dtype is None or dtype.kind not in op.kinds:
        return None
    if numbers:
        if dtype.kind != "f":
            return None
        for at, value in enumerate(tensors):
            if type(value) is not Tensor:
                if not op.shared[at]:
                    return None
                tensors[at] = number = _new(Tensor)
                number._array = dtype.type(value)
    return tensors


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


def _lifter(arguments: Any) -> Any:
    for argument in arguments:
        if isinstance(argument, (list, tuple)):
            found = _lifter(argument)
        else:
            found = ports.lifters.get(type(argument))
        if found is not None:
            return found
    return None


def _convert_all(op: Op, arguments: Any) -> list[Any]:
    values = list(arguments)
    shared = [op.same is True or (bool(op.same) and name in op.same) for name in op.arrays]  # type: ignore[operator]
    like = _common_dtype([value for value, is_shared in zip(values, shared) if is_shared])
    if like is None and len(values) > 1:
        # nothing but Python values: the first of them decides
        first = next((at for at, value in enumerate(values) if shared[at] and value is not None), None)
        if first is not None and op.arrays[first] not in op.lists:
            values[first] = convert(values[first])
            like = values[first].dtype.numpy_dtype
    for at, value in enumerate(values):
        if isinstance(value, Tensor) and op.arrays[at] not in op.lists:
            continue
        follow = like if shared[at] else None
        if op.arrays[at] in op.lists:
            parts = value if isinstance(value, (list, tuple)) else list(convert(value))
            if follow is None and shared[at] and parts:
                follow = convert(parts[0]).dtype.numpy_dtype
            values[at] = [part if isinstance(part, Tensor) else convert(part, None, follow) for part in parts]
        elif value is not None or op.arrays[at] not in op.optional:
            values[at] = convert(value, None, follow)
    check_dtypes(op, values, shared)
    return values


def _common_dtype(values: list[Any]) -> np.dtype | None:
    """The dtype that Python numbers follow: of a tensor or variable before all, then of an array."""
    of_array: np.dtype | None = None
    for value in values:
        if isinstance(value, (list, tuple)):
            found = _common_dtype(value)  # type: ignore[arg-type]
            if found is not None:
                return found
        elif isinstance(value, Tensor) or hasattr(value, "_read"):
            return value.dtype.numpy_dtype
        elif of_array is None and isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind not in "SU":
            of_array = value.dtype
    return of_array


def _first_symbol(tensors: list[Any]) -> Symbol | None:
    for tensor in tensors:
        if type(tensor) is list:
            found = _first_symbol(tensor)
            if found is not None:
                return found
        elif isinstance(tensor, Symbol):
            return tensor
    return None
