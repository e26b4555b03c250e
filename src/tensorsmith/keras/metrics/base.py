"""Metric: reset, update, result."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import explain
from tensorsmith.core.naming import snake_case, unique
from tensorsmith.function.autograph import in_trace
from tensorsmith.function.recurring import recurring
from tensorsmith.keras import config, initializers
from tensorsmith.keras.layers.tracking import Trackable
from tensorsmith.keras.stateless import holding
from tensorsmith.keras.variable import Variable
from tensorsmith.state.variable import Variable as StateVariable


class Metric(Trackable):
    """A number gathered over batches. Subclasses write `update_state`, `result` and, with settings, `get_config`.

    name   how it is called in logs; by default its class in snake_case, made unique.
    dtype  of its variables; `floatx` by default.

    `update_state(y_true, y_pred, sample_weight=None)` adds a batch to variables made with `add_weight`; it is traced
    into the training step, so it uses tf functions. `result()` gives the number so far. `reset_state()` sets every
    variable back to zero.

    >>> from tensorsmith.ops.reductions import reduce_sum
    >>> class Total(Metric):
    ...     def __init__(self, **settings):
    ...         super().__init__(**settings)
    ...         self.total = self.add_weight("total", initializer="zeros")
    ...     def update_state(self, values, sample_weight=None):
    ...         self.total.assign_add(reduce_sum(values))
    ...     def result(self):
    ...         return self.total.value()
    >>> total = Total()
    >>> total([1.0, 2.0]).numpy().item(), total([4.0]).numpy().item()
    (3.0, 7.0)
    """

    # for a subclass that sets attributes, or never calls super().__init__()
    _name: str | None = None
    _dtype: Any = None

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        if kwargs:
            raise TypeError(
                f"{type(self).__name__}() got unexpected arguments {', '.join(map(repr, sorted(kwargs)))}; "
                "a metric takes name and dtype."
            )
        self._name = name or unique(snake_case(type(self).__name__))
        self._dtype = None if dtype is None else as_dtype(getattr(dtype, "name", dtype))

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        own = cls.__dict__
        if "reset_states" in own and "reset_state" not in own:
            # Keras 2's spelling is the one that was written: it is the one that runs
            def reset_state(self: Any) -> None:
                cls.reset_states(self)

            cls.reset_state = reset_state  # type: ignore[method-assign]
        elif "reset_state" in own and "reset_states" not in own and cls.reset_states is not Metric.reset_states:

            def reset_states(self: Any) -> None:
                self.reset_state()

            cls.reset_states = reset_states  # type: ignore[method-assign]

    @property
    def name(self) -> str:
        if self._name is None:
            self._name = unique(snake_case(type(self).__name__))
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def dtype(self) -> Any:
        return as_dtype(config.floatx()) if self._dtype is None else self._dtype

    # ---- its variables

    def add_weight(self, *args: Any, **settings: Any) -> Variable:
        """A new variable of the metric, not trainable.

        Keras 3's order: shape=(), initializer="zeros", dtype=None, name=None.
        Keras 2's, where the first is a string: name, shape=(), aggregation, synchronization, initializer, dtype.
        """
        order: Any = ("shape", "initializer", "dtype", "name")
        if args and isinstance(args[0], str):
            order = ("name", "shape", "aggregation", "synchronization", "initializer", "dtype")
        given: dict[str, Any] = dict(zip(order, args))
        twice = [key for key in given if key in settings]
        strange = set(settings) - {
            "name",
            "shape",
            "initializer",
            "dtype",
            "aggregation",
            "synchronization",
            "layout",
            "trainable",
        }
        if twice or strange or len(args) > len(order):
            wrong = twice or sorted(strange) or [repr(a) for a in args[len(order) :]]
            raise TypeError(
                explain(
                    f"{type(self).__name__}.add_weight",
                    f"arguments {', '.join(wrong)} do not fit",
                    rule=f"it takes {', '.join(order)}",
                )
            )
        given.update(settings)
        shape, name = given.get("shape"), given.get("name")
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        initializer = initializers.get("zeros" if given.get("initializer") is None else given["initializer"])
        variable = Variable(
            initializer,
            shape=shape,
            dtype=given.get("dtype") or self.dtype,
            trainable=False,
            name=name,
            path=f"{self.name}/{name or 'variable'}",
        )
        self.__dict__.setdefault("_variables", []).append(variable)
        return variable

    add_variable = add_weight

    @property
    def variables(self) -> list[Any]:
        """Its variables in the order in which they were made, then those of metrics that it holds."""
        found: list[Any] = []
        _collect(list(self.__dict__.get("_variables", ())), found)
        for key, value in self.__dict__.items():
            if key != "_variables":
                _collect(value, found)
        return found

    weights = non_trainable_variables = non_trainable_weights = variables

    @property
    def trainable_variables(self) -> list[Any]:
        return []

    # ---- what a subclass writes

    def update_state(self, *args: Any, **settings: Any) -> Any:
        """Adds a batch; every subclass writes it."""
        raise NotImplementedError(
            f"{type(self).__name__} must write update_state(self, y_true, y_pred, sample_weight=None)."
        )

    def result(self) -> Any:
        """The metric over the batches since the last reset; every subclass writes it."""
        raise NotImplementedError(f"{type(self).__name__} must write result(self).")

    def reset_state(self) -> None:
        """Sets every variable to zero."""
        for variable in self.variables:
            variable.assign(np.zeros(tuple(variable.shape), variable.dtype.numpy_dtype))

    def reset_states(self) -> None:
        """Keras 2's name of `reset_state`; whichever of the two a subclass writes is the one that runs."""
        overridden = any("reset_states" in cls.__dict__ for cls in type(self).__mro__[:-1] if cls is not Metric)
        if overridden:
            # called by the subclass's own reset_states, for the default
            Metric.reset_state(self)
        else:
            self.reset_state()

    # ---- calling

    def __call__(self, *args: Any, **settings: Any) -> Any:
        """`update_state` with these arguments, then `result()`.

        Of a built-in metric this is traced when it comes again (function/recurring.py); what a user wrote runs as it is.
        """
        return recurring(self, config.values())(self._update_and_result, args, settings)

    def _update_and_result(self, *args: Any, **settings: Any) -> Any:
        in_trace(self.update_state)(*args, **settings)
        return in_trace(self.result)()

    def stateless_update_state(self, metric_variables: Any, *args: Any, **settings: Any) -> list[Any]:
        """The values that `update_state` would give the variables, from these values; the metric stays as it is."""
        variables = self.variables
        with holding(variables, metric_variables, self.name):
            self.update_state(*args, **settings)
            return [variable.value() for variable in variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """`result()` for these values of the variables; the metric stays as it is."""
        with holding(self.variables, metric_variables, self.name):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The values that `reset_state` would give the variables; the metric stays as it is."""
        variables = self.variables
        with holding(variables, [variable.value() for variable in variables], self.name):
            self.reset_state()
            return [variable.value() for variable in variables]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric; a subclass adds its own to these."""
        return {"name": self.name, "dtype": self.dtype.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """The metric that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _collect(value: Any, found: list[Any]) -> None:
    """Adds the variables in a value to `found`, each once."""
    if isinstance(value, StateVariable):
        if not any(value is known for known in found):
            found.append(value)
    elif isinstance(value, Metric):
        for variable in value.variables:
            _collect(variable, found)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _collect(part, found)
    elif isinstance(value, dict):
        for part in value.values():
            _collect(part, found)
