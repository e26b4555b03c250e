"""py_function and numpy_function: Python code that runs when the program does, not while it is traced.

What Python code gives is of a size that nobody knows before, so programs that hold a call of it run on NumPy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, dtypes
from tensorsmith.core.errors import (
    InvalidArgumentError,
    OpError,
    OutOfRangeError,
    ResourceExhaustedError,
    UnimplementedError,
    UnknownError,
    explain,
)
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.ops.shaping import ensure_shape
from tensorsmith.program.calls import Call
from tensorsmith.program.checks import STATUS
from tensorsmith.program.execute import jax
from tensorsmith.program.op import Array, Arrays, Op, register
from tensorsmith.state.tape import GradientTape
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class Python(Call):
    """A function of tensors (or of arrays) with the specs of what it is to give.

    eager  True: it takes tensors and has the derivatives of what it does with them.
    """

    __slots__ = ("eager", "python", "specs", "who")

    def __init__(self, who: str, python: Callable[..., Any], specs: list[TensorSpec], eager: bool) -> None:
        self.who, self.python, self.specs, self.eager = who, python, specs, eager
        super().__init__(self.arrays, (who, _identity(python), tuple(specs)))

    def tensors(self, inputs: list[Tensor]) -> list[Tensor]:
        """What it gives for these tensors, each of the dtype that was promised."""
        name = f"{self.who} {getattr(self.python, '__name__', '')}".strip()
        try:
            given = self.python(*inputs) if self.eager else self.python(*[t.numpy() for t in inputs])
            results = _listed(given)
            if len(results) != len(self.specs):
                raise InvalidArgumentError(
                    explain(name, "it gave another number of values than Tout has dtypes", {"given": describe(results)})
                )
            return [self._promised(name, value, spec) for value, spec in zip(results, self.specs)]
        except OpError:
            raise
        except Exception as error:
            raise _KINDS.get(type(error), _kind_of(error))(f"{name}: {type(error).__name__}: {error}") from error

    def _promised(self, name: str, value: Any, spec: TensorSpec) -> Tensor:
        tensor = value if isinstance(value, Tensor) else None
        if tensor is None:
            tensor = convert(value, None, spec.dtype.numpy_dtype) if value is not None else None
        if tensor is None or not spec.is_compatible_with(tensor):
            raise InvalidArgumentError(
                explain(
                    name,
                    "it gave another value than Tout promises",
                    {"given": describe(value), "Tout": spec.dtype.name if spec.shape.rank is None else spec},
                    way_out=f"Cast what it returns: tf.cast(..., tf.{spec.dtype.name})." if tensor is not None else "",
                )
            )
        return tensor

    def arrays(self, inputs: list[np.ndarray]) -> Any:
        with context.eagerly():
            return [tensor._array for tensor in self.tensors([Tensor(array) for array in inputs])]

    def differentiated(self, inputs: list[Any]) -> tuple[list[np.ndarray], Callable[[list[Any]], list[Any]]]:
        """The results for arrays, and what makes of what flows into them what flows out of the inputs."""
        with context.eagerly():
            tensors = [Tensor(np.asarray(array)) for array in inputs]
            with GradientTape() as tape:
                for tensor in tensors:
                    if tensor.dtype.is_floating or tensor.dtype.is_complex:
                        tape.watch(tensor)
                results = self.tensors(tensors)

        def back(flows: list[Any]) -> list[Any]:
            # the program is differentiated by JAX, and what flows in may be of no dtype (of an integer, say)
            with context.eagerly():
                pairs = [
                    (r, Tensor(np.asarray(f))) for r, f in zip(results, flows) if np.asarray(f).dtype == r._array.dtype
                ]
                found = tape.gradient([r for r, _ in pairs], tensors, output_gradients=[f for _, f in pairs])
            return [None if g is None else convert(g)._array for g in found]

        return [result._array for result in results], back


_KINDS: dict[type, Any] = {StopIteration: OutOfRangeError, MemoryError: ResourceExhaustedError}


def _kind_of(error: Exception) -> Any:
    if isinstance(error, NotImplementedError):
        return UnimplementedError
    return InvalidArgumentError if isinstance(error, (ValueError, TypeError)) else UnknownError


def _identity(function: Any) -> Any:
    try:
        hash(function)
    except TypeError:
        return id(function)
    return function


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _kernel(xp: Any, status: Array, values: Arrays, call: Any = None) -> list[Any]:
    """The status, and what the Python code gives for the values."""
    if xp is np:
        return [status, *call.arrays([np.asarray(value) for value in values])]
    if not call.eager:
        return [status, *call.arrays([np.asarray(jax().lax.stop_gradient(value)) for value in values])]
    # JAX differentiates the program operation by operation, so the values are there to be looked at
    held: list[Any] = []

    @jax().custom_vjp
    def surrogate(values: list[Any]) -> list[Any]:
        return call.arrays([np.asarray(value) for value in values])

    def forward(values: list[Any]) -> tuple[list[Any], None]:
        results, back = call.differentiated(values)
        held.append(back)
        return [xp.asarray(result) for result in results], None

    def backward(_: None, flows: list[Any]) -> tuple[list[Any]]:
        return (held[-1](flows),)

    surrogate.defvjp(forward, backward)
    return [status, *surrogate(list(values))]


def _specs(specs: Any, settings: dict) -> tuple:
    results = [(spec.shape, spec.dtype.numpy_dtype) for spec in settings["call"].specs]
    return ((), np.dtype(np.int32)), *results


CALL_PYTHON = register(Op("py_function", _kernel, same=False, shapes=_specs, eager=True))


def _called(who: str, python: Any, inputs: Any, wanted: Any, eager: bool) -> Any:
    if not callable(python):
        raise ValueError(explain(who, "func must be callable", {"func": describe(python)}))
    several = isinstance(wanted, (list, tuple))
    specs = [_spec(part) for part in (wanted if several else [wanted])]
    call = Python(who, python, specs, eager)
    tensors = [convert(value) for value in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]
    results = call.tensors(tensors) if context.local.graph is None else _noted(call, tensors)
    return results if several else results[0]


def _noted(call: Python, tensors: list[Tensor]) -> list[Tensor]:
    """The results of a call that the program being traced makes, behind all calls before it."""
    graph = context.local.graph
    assert graph is not None
    status, *results = apply(CALL_PYTHON, [graph.read(STATUS), tensors], {"call": call})
    graph.write(STATUS, status)
    return results


def in_turn(
    who: str, python: Callable[..., list[Tensor]], inputs: list[Tensor], specs: Callable[[], list[TensorSpec]]
) -> list[Tensor]:
    """What Python code with effects gives for tensors: at once, or each time the program runs that is being traced.

    specs  gives those of the results; asked in a trace alone.
    """
    if context.local.graph is None:
        return python(*inputs)

    def later(*values: Any) -> list[Tensor]:
        return python(*[convert(value, tensor.dtype) for value, tensor in zip(values, inputs)])

    return _noted(Python(who, later, specs(), False), inputs)


def _spec(wanted: Any) -> TensorSpec:
    return wanted if isinstance(wanted, TensorSpec) else TensorSpec(TensorShape(None), dtypes.as_dtype(wanted))


def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name: str | None = None) -> Any:
    """What `func(*inp)` gives, called with tensors when the program runs; its derivatives are those of what it does.

    func  a Python function of tensors that gives a tensor, a list of them, or None.
    inp   a list of values to call it with.
    Tout  the dtype (or TensorSpec) of what it gives; a list for a list, [] for None.

    In a traced function the shape of the result is not known (`set_shape` tells it), and the program runs on NumPy.
    What `func` raises comes as InvalidArgumentError (ValueError, TypeError), or another of `tf.errors`, with its
    own error as the cause.

    >>> import tensorsmith as tf
    >>> tf.function(lambda x: tf.py_function(lambda t: t.numpy() + 1.0, [x], tf.float32))(tf.constant(2.0)).numpy().item()
    3.0
    """
    return _called("py_function", func, inp, Tout, True)


def numpy_function(
    func: Any = None, inp: Any = None, Tout: Any = None, stateful: bool = True, name: str | None = None
) -> Any:
    """What `func(*inp)` gives, called with NumPy arrays when the program runs. It has no derivative.

    Arguments and errors as those of `tf.py_function`; `stateful` changes nothing.

    >>> import numpy as np, tensorsmith as tf
    >>> tf.numpy_function(np.sort, [tf.constant([2.0, 1.0])], tf.float32).numpy()
    array([1., 2.], dtype=float32)
    """
    return _called("numpy_function", func, inp, Tout, False)


def _now() -> np.float64:
    return np.float64(time.time())


def timestamp(name: str | None = None) -> Tensor:
    """The time in seconds since 1970, a float64 scalar; in a traced function that at which the program runs.

    Programs that hold it run on NumPy.

    >>> import tensorsmith as tf
    >>> tf.timestamp().dtype
    tf.float64
    """
    return ensure_shape(numpy_function(_now, [], dtypes.float64), [])
