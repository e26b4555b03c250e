"""`@tf.function`: finds the traced form of a call or makes it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, overload

from tensorsmith.core import context
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.autograph import conversion, rewriting
from tensorsmith.function.concrete import ConcreteFunction, traced_form
from tensorsmith.function.forms import Forms
from tensorsmith.function.signature import InputSignature, Key, Parameters
from tensorsmith.tensor.tensor import Tensor

_local = context.local


class _Switch:
    eager = False


def run_functions_eagerly(run_eagerly: bool) -> None:
    """True: traced functions run their Python code at each call from now on, for debugging with print and pdb."""
    _Switch.eager = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Whether `run_functions_eagerly(True)` holds."""
    return _Switch.eager


# One lock for all functions: two threads that trace functions which call each other's would wait for ever on two.
_tracing = threading.RLock()


class Function:
    """A Python function that is traced once for each signature and then run as one compiled program.

    The signature of a call: dtype and shape of tensors (and arrays), the value of everything else. A form traced for
    sizes that are None serves all sizes. Python code runs while it is traced only; `if`, `for` and `while` on tensors
    become part of the program. Variables are read when it is called, and have their new values when it returns.

    Raises ValueError when variables are made in another than the first trace, RecursionError when it calls itself
    without end; what the Python code raises while it is traced comes as it is.
    """

    def __init__(
        self,
        python_function: Callable[..., Any],
        input_signature: Any = None,
        autograph: bool = True,
        jit_compile: bool | None = None,
        name: str | None = None,
        reduce_retracing: bool = False,
        features: Any = None,
    ) -> None:
        self.python_function = python_function
        self._autograph, self._features = autograph, features
        self._jit_compile, self._reduce_retracing = jit_compile, reduce_retracing
        target = getattr(python_function, "func", python_function)  # of a functools.partial
        self.__name__ = name or getattr(target, "__name__", type(target).__name__)
        self.__qualname__ = getattr(target, "__qualname__", self.__name__)
        self.__doc__ = getattr(python_function, "__doc__", None)
        self.__module__ = getattr(python_function, "__module__", __name__)
        self.__wrapped__ = python_function
        self._forms = Forms()
        self._objects: dict[int, tuple[Any, Forms, Parameters, InputSignature | None]] = {}
        self.input_signature: tuple | None = None
        self._parameters = Parameters(python_function, self.__name__)
        self._signature: InputSignature | None = None
        if input_signature is not None:
            if _is_method(python_function):
                # what `self` is comes with the object; the specs are checked then
                InputSignature(input_signature, Parameters(None, self.__name__))
            else:
                self._signature = InputSignature(input_signature, self._parameters)
            self.input_signature = tuple(input_signature)

    @property
    def name(self) -> str:
        return self.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _Switch.eager:
            return self.python_function(*args, **kwargs)
        known: Any = None
        given: list[Any] = []
        if _local.graph is None and not _local.tapes:
            found, given, known = self._forms.remembered.find(args, kwargs)
            if found is not None:
                return found.run_arrays(given)
        args, kwargs = self._parameters.bind(args, kwargs)
        if self._signature is not None:
            tensors = self._signature.fit(args, kwargs)
            form = self._signed(tensors)
            if (_local.tapes or _local.hidden) and form.misses():
                form = self._anew("input_signature", *self._signature.given())
            if known is not None and not form.local:
                self._forms.remembered.note(known, given, tensors, form)
            return form.run(tensors)
        key = Key((args, kwargs))
        if key.specs:
            raise TypeError(
                explain(
                    self.__name__,
                    "it was called with a TensorSpec",
                    {"given": describe(args)},
                    "a call takes tensors",
                    "get_concrete_function takes TensorSpecs in their place.",
                )
            )
        form = self._form(key, args, kwargs, key.tensors)
        if (_local.tapes or _local.hidden) and form.misses():
            form = self._anew(key.key, args, kwargs)
        if known is not None and not form.local:
            self._forms.remembered.note(known, given, key.tensors, form)
        return form.run(key.tensors)

    # ---- which form a call means

    def _form(self, key: Key, args: tuple, kwargs: dict, tensors: list[Tensor] | None = None) -> ConcreteFunction:
        forms = self._forms
        found = forms.exact.get(key.key)
        if found is not None:
            return found
        with _tracing:
            found = forms.exact.get(key.key) or forms.general(key)
            if found is None:
                shapes = forms.relaxed(key) if self._reduce_retracing else None
                found = self._trace(key.key, args, kwargs, shapes, tensors)
                if not found.local:
                    forms.add(key, shapes, found)
        return found

    def _anew(self, key: Any, args: tuple, kwargs: dict) -> ConcreteFunction:
        """The form traced once more, as a tape knows by now what it holds as constants."""
        with _tracing:
            found = self._trace(key, args, kwargs)
            # what is still a constant stays one
            found._held = []
            if not found.local:
                self._forms.exact[key] = found
        return found

    def _signed(self, tensors: list[Tensor] | None = None) -> ConcreteFunction:
        """The one form of a function with an input_signature."""
        found = self._forms.exact.get("input_signature")
        if found is None:
            assert self._signature is not None
            with _tracing:
                found = self._forms.exact.get("input_signature")
                if found is None:
                    found = self._trace("input_signature", *self._signature.given(), tensors=tensors)
                    if not found.local:
                        self._forms.exact["input_signature"] = found
        return found

    def _trace(
        self, key: Any, args: tuple, kwargs: dict, shapes: Any = None, tensors: list[Tensor] | None = None
    ) -> ConcreteFunction:
        forms = self._forms
        if any(other == key for other in forms.under_way):
            raise RecursionError(
                explain(
                    self.__name__,
                    "it calls itself with the same signature while it is traced, without end",
                    {"arguments": describe(args)},
                    "a branch on a tensor is traced on both sides, so a call in it is traced again and again",
                    "Write it as a loop: tf.while_loop, or `while` on a tensor.",
                )
            )
        forms.retraces.note(self.__name__, self._parameters.named(args, kwargs))
        forms.under_way.append(key)
        try:
            return self._traced_once_or_twice(args, kwargs, shapes, tensors)
        except RecursionError as error:
            if type(error) is RecursionError and not str(error).startswith(self.__name__):
                text = explain(
                    self.__name__,
                    "it calls itself too deeply while it is traced",
                    {"arguments": describe(args)},
                    "each Python value is a trace of its own inside the others",
                    "Let the recursion end sooner, or write it as a loop.",
                )
                raise RecursionError(text) from None
            raise
        finally:
            forms.under_way.pop()

    def _traced_once_or_twice(
        self, args: tuple, kwargs: dict, shapes: Any, tensors: list[Tensor] | None
    ) -> ConcreteFunction:
        function = conversion(self._features)(self.python_function) if self._autograph else self.python_function
        forms = self._forms
        first = not forms.made_variables and not forms.count
        made: list[Any] = []

        def traced() -> ConcreteFunction:
            forms.count += 1
            with _noting_variables(made), rewriting(self._autograph):
                return traced_form(function, self.__name__, args, kwargs, shapes, tensors)

        found = traced()
        if made and first:
            # they are there now; the second trace is the one that later calls mean
            forms.made_variables = True
            made.clear()
            found = traced()
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
        """The traced form for arguments, or for TensorSpecs in their place; of an input_signature without arguments."""
        if self._signature is not None:
            if args or kwargs:
                self._signature.fit(*self._parameters.bind(args, kwargs))
            return self._signed()
        args, kwargs = self._parameters.bind(args, kwargs)
        return self._form(Key((args, kwargs)), args, kwargs)

    def experimental_get_tracing_count(self) -> int:
        """How many times it was traced."""
        return self._forms.count

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """What each traced form takes and gives, as text."""
        forms = self._forms.all()
        return "\n\n".join([form.pretty_printed_signature(verbose) for form in forms])

    def get_initialization_function(self, *args: Any, **kwargs: Any) -> Callable[[], None]:
        """Makes the variables that a first call would make; gives a function that has nothing left to do."""
        self.get_concrete_function(*args, **kwargs)
        return lambda: None

    # ---- as a method

    def __get__(self, owner: Any, kind: type | None = None) -> Function:
        bind = getattr(self.python_function, "__get__", None)
        if owner is None or bind is None:
            return self
        target = bind(owner, kind)
        bound = object.__new__(Function)
        bound.__dict__.update(self.__dict__)
        bound.python_function = bound.__wrapped__ = target
        if isinstance(self.python_function, staticmethod):
            return bound
        bound._forms, bound._parameters, bound._signature = self._of_object(owner, target)
        return bound

    def _of_object(self, owner: Any, target: Any) -> tuple[Forms, Parameters, InputSignature | None]:
        """The traced forms for one object, which go when it goes."""
        number = id(owner)
        found = self._objects.get(number)
        if found is None or found[0]() is not owner:
            try:
                objects = self._objects
                reference: Any = weakref.ref(owner, lambda _: objects.pop(number, None))
            except TypeError:
                reference = lambda: owner  # noqa: E731 - an object without weak references is kept
            parameters = Parameters(target, self.__name__)
            signed = None if self.input_signature is None else InputSignature(self.input_signature, parameters)
            found = self._objects[number] = reference, Forms(), parameters, signed
        return found[1:]

    def __repr__(self) -> str:
        return f"<tf.function {self.__qualname__}, traced {self._forms.count} times>"


def _is_method(function: Any) -> bool:
    """True for a function whose first parameter is called `self`: what it is called on stands there."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_argcount > 0 and code.co_varnames[0] in ("self", "cls")


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
    reduce_retracing: bool | None = False,
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
    reduce_retracing: bool | None = False,
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
    reduce_retracing: bool | None = False,
    experimental_implements: Any = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: Any = None,
    experimental_compile: Any = None,
    experimental_follow_type_hints: Any = None,
) -> Any:
    """Makes a function whose calls run as one compiled program, traced once for each signature.

    func              the Python function; without it, a decorator with the other arguments.
    input_signature   TensorSpecs, nested like the first parameters: it is traced once, for these.
    autograph         False: Python's control flow is left as it is.
    experimental_autograph_options  features of `tf.autograph.experimental.Feature` that are to be on as well.
    reduce_retracing  True: a size that changed from one trace to the next is None in the next one, which serves all.

    The others are taken for the sake of code that gives them, and change nothing: every function is compiled.

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
        relaxed = bool(reduce_retracing or experimental_relax_shapes)
        return Function(
            target,
            input_signature,
            autograph,
            jit_compile or experimental_compile,
            reduce_retracing=relaxed,
            features=experimental_autograph_options,
        )

    return decorated if func is None else decorated(func)
