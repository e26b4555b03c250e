"""One call of an operation: run it on NumPy, note it on open tapes, or add a node. `@op` makes the public function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np

from tensorsmith.core import context, dtypes, ports
from tensorsmith.core.errors import InvalidArgumentError, OpError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Op, elementwise, predicate, register
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

Function = TypeVar("Function", bound=Callable[..., Any])

# every public function that `@op` made, by the operation's name
functions: dict[str, Callable[..., Any]] = {}

_new = object.__new__
_busy = context.busy
_local = context.local
ANY = "fiubcOV"


@overload
def op(kernel: Function) -> Function: ...
@overload
def op(kernel: None = None, **rules: Any) -> Callable[[Function], Function]: ...
def op(kernel: Any = None, *, quiet: bool = False, register_op: bool = True, name: str = "", **rules: Any) -> Any:
    """Makes the public function of an operation from its kernel.

    The kernel is `f(xp, x: Array, ..., setting=default)`: arguments annotated `Array` are values
    (`Array | None` optional, `Arrays` a list of them), all others settings. The function takes the
    kernel's arguments without `xp`, and TensorFlow's `name`, which names nothing here.

    name    the operation's name; by default the kernel's.
    quiet   True: NumPy's warnings (division by zero, overflow) are kept silent, as the result shows them.
    rules   of `program.op.Op`: same, kinds, shapes, eager, differentiable.
    """
    if kernel is None:
        return lambda k: op(k, quiet=quiet, register_op=register_op, name=name, **rules)
    made = Op(name or kernel.__name__.rstrip("_"), kernel, **rules)
    if register_op:
        register(made)
    function = _public(made, quiet)
    functools.update_wrapper(function, kernel)
    signature = inspect.signature(kernel)
    parameters = list(signature.parameters.values())[1:]
    if all(p.name != "name" for p in parameters):
        parameters.append(inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, default=None))
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    function.op = made  # type: ignore[attr-defined]
    functions[made.name] = function
    return function


def _public(made: Op, quiet: bool) -> Callable[..., Any]:
    kernel, kinds = made.kernel, made.kinds
    if quiet:
        loud = kernel

        def kernel(xp: Any, *arrays: Any, **settings: Any) -> Any:
            if xp is not np:
                return loud(xp, *arrays, **settings)
            with np.errstate(all="ignore"):
                return loud(xp, *arrays, **settings)

        made.kernel = kernel
    if made.settings or made.lists or len(made.arrays) > 2:
        return _general(made)
    if len(made.arrays) == 1:

        def unary(x: Any, name: str | None = None) -> Any:
            if type(x) is Tensor and not _busy:
                array = x._array
                if array.dtype.kind in kinds:
                    result = _new(Tensor)
                    result._array = kernel(np, array)
                    return result
            return apply(made, (x,), {})

        return unary
    weak = made.shapes in (elementwise, predicate)

    def binary(x: Any, y: Any, name: str | None = None) -> Any:
        if type(x) is Tensor and not _busy:
            a = x._array
            if type(y) is Tensor:
                b = y._array
                if a.dtype is b.dtype and a.dtype.kind in kinds:
                    try:
                        result = _new(Tensor)
                        result._array = kernel(np, a, b)
                        return result
                    except (ValueError, TypeError):
                        pass  # told in full below
            elif weak and (type(y) is int or type(y) is float) and (a.dtype.kind == "f" or type(y) is int):
                kind = a.dtype.kind
                if kind == "f" or (kind == "i" and -128 <= y < 128):
                    result = _new(Tensor)
                    result._array = kernel(np, a, a.dtype.type(y))
                    return result
        return apply(made, (x, y), {})

    return binary


def _general(made: Op) -> Callable[..., Any]:
    order, arrays, defaults = made.order, made.arrays, made.settings
    empty = inspect.Parameter.empty

    def general(*args: Any, **named: Any) -> Any:
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
        for key, default in defaults.items():
            settings[key] = given.get(key, default)
            if settings[key] is empty:
                raise TypeError(f"{made.name}() is missing the argument {key!r}")
        values = []
        for key in arrays:
            if key not in given and key not in optional:
                raise TypeError(f"{made.name}() is missing the argument {key!r}")
            values.append(given.get(key))
        return apply(made, values, settings)

    optional = {
        p.name
        for p in inspect.signature(made.kernel if not hasattr(made.kernel, "__wrapped__") else made.kernel).parameters.values()
        if p.default is None
    }
    return general


def apply(op: Op, arguments: Any, settings: dict) -> Any:
    """Applies an operation to anything that can become tensors.

    arguments: one for each of `op.arrays`, in order; a list for a list argument; None for one not given.
    """
    if ports.lifters:
        lifter = _lifter(arguments)
        if lifter is not None:
            return lifter(op, tuple(arguments), settings)
    tensors = _convert_all(op, arguments)
    symbol = _first_symbol(tensors)
    if symbol is not None:
        graph = _local.graph or symbol._graph
        try:
            return graph.call(op, tensors, settings)
        except OpError:
            raise
        except (ValueError, TypeError, IndexError) as error:
            raise InvalidArgumentError(_refusal(op, tensors, settings, error)) from None
    arrays = [[t._array for t in x] if type(x) is list else None if x is None else x._array for x in tensors]
    try:
        results = op.kernel(np, *arrays, **settings)
    except OpError:
        raise
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise InvalidArgumentError(_refusal(op, tensors, settings, error)) from None
    if isinstance(results, (tuple, list)):
        wrapped: Any = getattr(type(results), "_make", type(results))([wrap(r) for r in results])
    else:
        wrapped = wrap(results)
    for tape in _local.tapes:
        tape.record(op, tensors, settings, wrapped)
    return wrapped


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
    same = op.same
    like: np.dtype | None = None
    values = list(arguments)
    shared = [same is True or (bool(same) and name in same) for name in op.arrays]  # type: ignore[operator]
    for at, value in enumerate(values):
        if shared[at] and like is None:
            like = _own_dtype(value)
    for at, value in enumerate(values):
        if value is None:
            continue
        follow = like if shared[at] else None
        if op.arrays[at] in op.lists:
            parts = value if isinstance(value, (list, tuple)) else list(convert(value))
            values[at] = [part if isinstance(part, Tensor) else convert(part, None, follow) for part in parts]
        elif not isinstance(value, Tensor):
            values[at] = convert(value, None, follow)
    _check_dtypes(op, values, shared)
    return values


def _own_dtype(value: Any) -> np.dtype | None:
    """The dtype that others must follow: of a tensor or variable before all, then of an array."""
    if isinstance(value, (list, tuple)):
        return next((d for d in map(_own_dtype, value) if d is not None), None)
    if isinstance(value, Tensor) or hasattr(value, "_read"):
        return value.dtype.numpy_dtype
    if isinstance(value, np.ndarray) and value.dtype.kind not in "SU":
        return value.dtype
    return None


def _check_dtypes(op: Op, values: list[Any], shared: list[bool]) -> None:
    first: Any = None
    for at, value in enumerate(values):
        for tensor in value if isinstance(value, list) else (value,):
            if tensor is None:
                continue
            dtype = tensor.dtype
            if not shared[at]:
                continue
            if first is None:
                first = dtype
                if dtype.numpy_dtype.kind not in op.kinds and not (
                    dtype.numpy_dtype.kind == "V" and "f" in op.kinds
                ):
                    raise InvalidArgumentError(
                        explain(
                            op.name,
                            f"it does not take {dtype.name}",
                            {op.arrays[at]: describe(tensor)},
                            f"it takes {_kind_names(op.kinds)}",
                            "Convert with tf.cast(x, tf.float32)." if "f" in op.kinds else "",
                        )
                    )
            elif dtype is not first:
                names = [name for name, is_shared in zip(op.arrays, shared) if is_shared]
                given = {n: describe(v) for n, v in zip(op.arrays, values) if n in names}
                raise InvalidArgumentError(
                    explain(
                        op.name,
                        f"cannot mix {first.name} and {dtype.name}",
                        given,
                        "tensors are never converted silently",
                        f"Convert one of them: tf.cast(x, tf.{_wider(first, dtype).name}).",
                    )
                )


def _wider(a: dtypes.DType, b: dtypes.DType) -> dtypes.DType:
    """The one of two dtypes that can hold the other's values best."""
    order = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 bfloat16 float32 float64 complex64 complex128"
    ranks = order.split()
    return max((a, b), key=lambda d: ranks.index(d.name) if d.name in ranks else -1)


_KINDS = {"f": "floats", "i": "integers", "u": "unsigned integers", "b": "booleans", "c": "complex numbers", "O": "strings"}


def _kind_names(kinds: str) -> str:
    return ", ".join(_KINDS[k] for k in kinds if k in _KINDS)


def _first_symbol(tensors: list[Any]) -> Symbol | None:
    for tensor in tensors:
        if type(tensor) is list:
            found = _first_symbol(tensor)
            if found is not None:
                return found
        elif isinstance(tensor, Symbol):
            return tensor
    return None


def _refusal(op: Op, tensors: list[Any], settings: dict, error: Exception) -> str:
    given = {name: describe(value) for name, value in zip(op.arrays, tensors) if value is not None}
    given.update({name: value for name, value in settings.items() if value is not None})
    return explain(op.name, str(error).rstrip("."), given)
