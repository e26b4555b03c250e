"""`@tf.function`: finds the traced form of a call or makes it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, overload

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.function.autograph import conversion, rewriting
from tensorsmith.function.concrete import ConcreteFunction, traced_form
from tensorsmith.function.signature import Key, Parameters, Remembered, fitted

_local = context.local


class _Switch:
    eager = False


def run_functions_eagerly(run_eagerly: bool) -> None:
    """True: traced functions run their Python code at each call from now on, for debugging with print and pdb."""
    _Switch.eager = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Whether `run_functions_eagerly(True)` holds."""
    return _Switch.eager


class _Traces:
    """The traced forms of one function (of a method: for one object)."""

    def __init__(self) -> None:
        self.forms: dict[Any, ConcreteFunction] = {}
        self.keep: list[Any] = []
        self.remembered = Remembered()
        self.count = 0
        self.lock = threading.RLock()
        # variables may be made in the first trace only: later ones would make them anew
        self.made_variables = False


class Function:
    """A Python function that is traced once for each signature and then run as one compiled program.

    The signature of a call: dtype and shape of tensors (and arrays), the value of everything else. Python code
    runs while it is traced only; `if`, `for` and `while` on tensors become part of the program. Variables are
    read when it is called, and have their new values when it returns.

    Raises ValueError when variables are made in another than the first trace; what the Python code raises
    while it is traced comes as it is.
    """

    def __init__(
        self,
        python_function: Callable[..., Any],
        input_signature: Any = None,
        autograph: bool = True,
        jit_compile: bool | None = None,
        name: str | None = None,
        traces: _Traces | None = None,
        features: Any = None,
    ) -> None:
        self.python_function = python_function
        self.input_signature = None if input_signature is None else tuple(input_signature)
        self._autograph, self._jit_compile, self._features = autograph, jit_compile, features
        self.__name__ = name or getattr(python_function, "__name__", type(python_function).__name__)
        self.__qualname__ = getattr(python_function, "__qualname__", self.__name__)
        self.__doc__ = getattr(python_function, "__doc__", None)
        self.__module__ = getattr(python_function, "__module__", __name__)
        self.__wrapped__ = python_function
        self._parameters = Parameters(python_function, self.__name__)
        self._traces = traces or _Traces()
        self._objects: dict[int, Any] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _Switch.eager:
            return self.python_function(*args, **kwargs)
        known: Any = None
        given: list[Any] = []
        if not kwargs and _local.graph is None and not _local.tapes:
            found, given, known = self._traces.remembered.find(args)
            if found is not None:
                return found.run_arrays(given)
        args, kwargs = self._parameters.bind(args, kwargs)
        if self.input_signature is not None:
            args, kwargs = self._fitted(args, kwargs)
        key = Key((args, kwargs))
        form = self._form(key, args, kwargs)
        if known is not None and not form.local:
            self._traces.remembered.note(known, given, key.tensors, form)
        return form.run(key.tensors)

    def _fitted(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        count = len(self.input_signature)  # type: ignore[arg-type]
        if len(args) + len(kwargs) < count:
            raise TypeError(
                explain(
                    self.__name__, "arguments of the input_signature are missing", {"given": len(args), "needed": count}
                )
            )
        values = fitted(self.__name__, self.input_signature, tuple([*args, *kwargs.values()][:count]))
        return values + args[count:], dict(zip(kwargs, values[len(args) :])) if len(args) < count else kwargs

    def _form(self, key: Key, args: tuple, kwargs: dict) -> ConcreteFunction:
        traces = self._traces
        known = key.key if self.input_signature is None else ("input_signature", *self._plain(args))
        found = traces.forms.get(known)
        if found is not None:
            return found
        with traces.lock:
            found = traces.forms.get(known)
            if found is None:
                found = self._trace(*self._specified(args, kwargs))
                if not found.local:
                    traces.forms[known] = found
                    traces.keep.extend(key.keep)
        return found

    def _plain(self, args: tuple) -> Any:
        """What of a call with an input_signature is no tensor of it."""
        rest = args[len(self.input_signature) :]  # type: ignore[arg-type]
        return (Key(rest).key,) if rest else ()

    def _specified(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments with the specs of the input_signature in their place."""
        if self.input_signature is None:
            return args, kwargs
        given = self.input_signature + args[len(self.input_signature) :]
        return given[: len(args)], dict(zip(kwargs, given[len(args) :]))

    def _trace(self, args: tuple, kwargs: dict) -> ConcreteFunction:
        function = conversion(self._features)(self.python_function) if self._autograph else self.python_function
        traces = self._traces
        first = not traces.made_variables and not traces.count
        traces.count += 1
        made: list[Any] = []
        with _noting_variables(made), rewriting(self._autograph):
            found = traced_form(function, self.__name__, args, kwargs)
        if made and first:
            # they are there now; the second trace is the one that later calls mean
            traces.made_variables = True
            made = []
            with _noting_variables(made), rewriting(self._autograph):
                found = traced_form(function, self.__name__, args, kwargs)
        if made:
            raise ValueError(
                explain(
                    self.__name__,
                    "it makes variables each time it is traced",
                    {"variables": [v.name for v in made]},
                    "a traced function may make variables in its first call only",
                    "Make them outside, or keep them: if self.v is None: self.v = tf.Variable(...).",
                )
            )
        return found

    # ---- asking

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The traced form for arguments, or for TensorSpecs in their place."""
        if self.input_signature is not None and not args and not kwargs:
            given = _Given(self.input_signature)
        else:
            given = _Given(*self._parameters.bind(args, kwargs))
        with self._traces.lock:
            known = "concrete", given.key
            found = self._traces.forms.get(known)
            if found is None:
                found = self._trace(given.args, given.kwargs)
                if not found.local:
                    self._traces.forms[known] = found
        return found

    def experimental_get_tracing_count(self) -> int:
        """How many times it was traced."""
        return self._traces.count

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        return "\n".join(map(repr, self._traces.forms.values()))

    # ---- as a method

    def __get__(self, owner: Any, kind: type | None = None) -> Function:
        if owner is None:
            return self
        return Function(
            self.python_function.__get__(owner, kind),
            self.input_signature,
            self._autograph,
            self._jit_compile,
            self.__name__,
            self._traces_of(owner),
            self._features,
        )

    def _traces_of(self, owner: Any) -> _Traces:
        found = self._objects.get(id(owner))
        if found is None or found[0]() is not owner:
            try:
                number = id(owner)
                reference: Any = weakref.ref(owner, lambda _: self._objects.pop(number, None))
            except TypeError:
                reference = lambda: owner  # noqa: E731 - an object without weak references is kept
            found = self._objects[id(owner)] = (reference, _Traces())
        return found[1]

    def __repr__(self) -> str:
        return f"<tf.function {self.__qualname__}, traced {self._traces.count} times>"


class _Given:
    """Arguments, or TensorSpecs in their place, and a key for them."""

    def __init__(self, args: tuple, kwargs: dict | None = None) -> None:
        self.args, self.kwargs = tuple(args), kwargs or {}
        self.key = Key(nest.map_structure(lambda leaf: leaf, (self.args, self.kwargs))).key


class _noting_variables:
    """A context that collects the variables which are made on this thread while a function is traced."""

    def __init__(self, made: list[Any]) -> None:
        self.made = made

    def __enter__(self) -> None:
        self.outer = getattr(_local, "made", None)
        _local.made = self.made

    def __exit__(self, *exc: Any) -> None:
        _local.made = self.outer
        if self.outer is not None:
            self.outer.extend(self.made)


@overload
def function(
    func: Callable[..., Any],
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: Any = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: Any = None,
    experimental_compile: Any = None,
    experimental_follow_type_hints: Any = None,
) -> Function: ...
@overload
def function(
    func: None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: Any = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: Any = None,
    experimental_compile: Any = None,
    experimental_follow_type_hints: Any = None,
) -> Callable[[Callable[..., Any]], Function]: ...
def function(
    func: Any = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: Any = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: Any = None,
    experimental_compile: Any = None,
    experimental_follow_type_hints: Any = None,
) -> Any:
    """Makes a function whose calls run as one compiled program, traced once for each signature.

    func             the Python function; without it, a decorator with the other arguments.
    input_signature  TensorSpecs: it is traced once, for these.
    autograph        False: Python's control flow is left as it is.
    experimental_autograph_options  features of `tf.autograph.experimental.Feature` that are to be on as well.

    >>> import tensorsmith as tf
    >>> @tf.function
    ... def cube(x):
    ...     return x * x * x
    >>> cube(tf.constant(2.0)).numpy().item()
    8.0
    """

    def decorated(target: Any) -> Function:
        if isinstance(target, Function):
            target = target.python_function
        if not callable(target):
            raise TypeError(f"tf.function takes a function, not {target!r}.")
        return Function(
            target,
            input_signature,
            autograph,
            jit_compile or experimental_compile,
            features=experimental_autograph_options,
        )

    return decorated if func is None else decorated(func)
