"""Optimizer: slots, clipping, decay, averaging, one step."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import explain, warn
from tensorsmith.core.naming import snake_case
from tensorsmith.function.autograph import in_trace
from tensorsmith.function.recurring import is_own, recurring
from tensorsmith.keras import config, registry
from tensorsmith.keras.optimizers import clipping
from tensorsmith.keras.optimizers.dialect import Keras2Optimizer
from tensorsmith.keras.optimizers.state import OptimizerState
from tensorsmith.keras.stateless import holding
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import equal, where
from tensorsmith.ops.creation import zeros_like
from tensorsmith.ops.elementwise import floormod
from tensorsmith.ops.indexed_slices import IndexedSlices
from tensorsmith.state.tape import GradientTape
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class Optimizer(OptimizerState, Keras2Optimizer):
    """Changes variables against their gradients. Subclasses write `build`, `update_step` and `get_config`.

    learning_rate    a number (kept in a variable, so that it can be changed while training), a LearningRateSchedule, or
                     a function without arguments.
    weight_decay     each step also takes `learning_rate * weight_decay` of each variable away.
    clipnorm         no gradient is longer than this (Euclidean length, each by itself).
    clipvalue        no element of a gradient is beyond plus or minus this.
    global_clipnorm  all gradients together are not longer than this. Only one of the three can be given.
    use_ema          keeps a running mean of each variable, m = ema_momentum * m + (1 - ema_momentum) * variable;
                     `ema_overwrite_frequency=n` sets the variables to it every n steps.
    loss_scale_factor  the loss was multiplied by it: gradients are divided by it.
    gradient_accumulation_steps  n: gradients are added up, and the variables change by their mean at every n-th call.
    name             by default the class in snake_case.

    `build(variables)` makes slots with `add_variable_from_reference`, after `super().build(variables)`;
    `update_step(gradient, variable, learning_rate)` assigns one variable and its slots. Both are traced into the
    training step, so they use tf functions; what all variables share in a step is computed once by `self.once`.

    Raises ValueError for a learning rate that is no number from 0 upwards, TypeError for unknown arguments.

    >>> class Plain(Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         variable.assign_sub(gradient * learning_rate)
    >>> from tensorsmith.keras.variable import Variable
    >>> v = Variable([1.0, 2.0])
    >>> Plain(learning_rate=0.5).apply([convert([1.0, 1.0])], [v])
    >>> v.numpy()
    array([0.5, 1.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(learning_rate, str):
            # Keras 2's first argument is the name, and the rate is set later
            learning_rate, name = None, learning_rate
        learning_rate = kwargs.pop("lr", learning_rate)
        self._initial_decay = float(kwargs.pop("decay", 0.0) or 0.0)
        # how to compile is not the optimizer's to say here, but files of Keras 2 hold it
        kwargs.pop("jit_compile", None)
        kwargs.pop("is_legacy_optimizer", None)
        if kwargs:
            raise TypeError(f"{type(self).__name__}() got unexpected arguments {', '.join(map(repr, sorted(kwargs)))}.")
        self.name = name or snake_case(type(self).__name__)
        self.weight_decay, self.loss_scale_factor = weight_decay, loss_scale_factor
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        clipping.check(clipnorm, clipvalue, global_clipnorm)
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        _check_ema(use_ema, ema_momentum, ema_overwrite_frequency)
        self.gradient_accumulation_steps = _check_accumulation(gradient_accumulation_steps)
        self._once: dict[str, Any] | None = None
        self._undecayed: set[int] = set()
        self._undecayed_names: list[str] = []
        self._begin(learning_rate)

    # ---- one step

    def once(self, name: str, compute: Callable[[], Any]) -> Any:
        """What `compute()` gives, computed at most once in a step: for what the updates of all variables share."""
        if self._once is None:
            return compute()
        if name not in self._once:
            self._once[name] = compute()
        return self._once[name]

    def steps(self, dtype: Any = "float32") -> Tensor:
        """The number of this update, counted from 1, as a float."""
        return self.once(f"steps {as_dtype(dtype).name}", lambda: cast(self.iterations, dtype) + 1.0)

    def apply_gradients(self, grads_and_vars: Iterable[Any], name: str | None = None, **settings: Any) -> Any:
        """One update from pairs (gradient, variable); gives `iterations`."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any] | None = None) -> None:
        """One update of variables by their gradients; a variable whose gradient is None stays as it is.

        Raises ValueError where all gradients are None, and for variables other than those of the first call.
        """
        gradients = list(grads)
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if len(gradients) != len(variables):
            raise ValueError(
                explain(
                    self.name,
                    "there must be one gradient for each variable",
                    {"gradients": len(gradients), "variables": len(variables)},
                )
            )
        if not self.built:
            self.build(variables)
            self.built = True
        self._check_known(variables)
        gradients, variables = self._with_gradient(gradients, variables)
        # a schedule of the user's own is no part of what is traced when a step comes again
        rates = [self._current_rate()] if self._scheduled() and not is_own(self._learning_rate) else []

        def step(*given: Any) -> None:
            self._step(list(given[: len(variables)]), variables, *given[len(variables) :])

        calls = recurring(self, config.values(), outside=_RATE)
        calls(step, [*gradients, *rates], key=tuple(map(id, variables)))
        for variable in variables:
            constraint = getattr(variable, "constraint", None)
            if constraint is not None and not is_own(constraint):
                variable.assign(in_trace(constraint)(variable))

    def _step(self, gradients: list[Any], variables: list[Any], rate: Any = None) -> None:
        self._once = {}
        try:
            if self.gradient_accumulation_steps:
                self._accumulate(gradients, variables, rate)
            else:
                self._update(gradients, variables, rate)
            if self.use_ema:
                self._average(variables)
            for variable in variables:
                constraint = getattr(variable, "constraint", None)
                if constraint is not None and is_own(constraint):
                    variable.assign(in_trace(constraint)(variable))
            self._iterations.assign_add(1)
        finally:
            # what was computed for a step may be symbols of a trace, which end with it
            self._once = None

    def _update(self, gradients: list[Any], variables: list[Any], rate: Any) -> None:
        rate = self._current_rate() if rate is None else rate
        if self.loss_scale_factor:
            gradients = [gradient / float(self.loss_scale_factor) for gradient in gradients]
        gradients = clipping.clip(gradients, self.clipnorm, self.clipvalue, self.global_clipnorm)
        if self.weight_decay:
            self._decay(variables, rate)
        with_rate = self._takes_rate()
        for gradient, variable in zip(gradients, variables):
            if with_rate:
                in_trace(self.update_step)(gradient, variable, rate)
            else:
                in_trace(self.update_step)(gradient, variable)  # type: ignore[call-arg]

    def _accumulate(self, gradients: list[Any], variables: list[Any], rate: Any) -> None:
        """Adds the gradients up; what an update by their mean would do is kept at every n-th call only."""
        count = self.gradient_accumulation_steps
        due = equal(floormod(self._iterations + 1, count), 0)
        own = [self._sums[self._get_variable_index(variable)] for variable in variables]
        sums = [total + gradient for total, gradient in zip(own, gradients)]
        fixed = {id(self._iterations), id(self._learning_rate), *map(id, self._sums)}
        held = [*variables, *(slot for slot in self._variables if id(slot) not in fixed)]
        before = [variable.value() for variable in held]
        self._update([total / float(count) for total in sums], variables, rate)  # type: ignore[arg-type]
        for variable, value in zip(held, before):
            variable.assign(where(due, variable, value))
        for slot, total in zip(own, sums):
            slot.assign(where(due, zeros_like(total), total))

    def _takes_rate(self) -> bool:
        """Keras 2's update_step(gradient, variable) reads the rate itself."""
        parameters = inspect.signature(self.update_step).parameters.values()
        return len(parameters) > 2 or any(p.kind is p.VAR_POSITIONAL for p in parameters)

    def _check_known(self, variables: list[Any]) -> None:
        strange = [variable for variable in variables if id(variable) not in self._index_dict]
        if strange:
            raise ValueError(
                explain(
                    self.name,
                    "it was built for other variables",
                    {"unknown": ", ".join(str(getattr(v, "path", v.name)) for v in strange[:3])},
                    "an optimizer keeps slots for the variables of its first step",
                    "Compile the model again, or make a new optimizer.",
                )
            )

    def _with_gradient(self, gradients: list[Any], variables: list[Any]) -> tuple[list[Any], list[Any]]:
        kept = [(_dense(g), v) for g, v in zip(gradients, variables) if g is not None]
        if not kept and variables:
            raise ValueError(
                explain(
                    self.name,
                    "no variable has a gradient",
                    {"variables": ", ".join(str(getattr(v, "path", v.name)) for v in variables[:5])},
                    "the loss must depend on them by differentiable operations",
                )
            )
        if len(kept) < len(variables):
            without = [str(getattr(v, "path", v.name)) for g, v in zip(gradients, variables) if g is None]
            warn(f"{self.name}: the loss does not depend on {', '.join(without)}; they stay as they are.")
        return [gradient for gradient, _ in kept], [variable for _, variable in kept]

    def _decay(self, variables: list[Any], rate: Tensor) -> None:
        part = rate * float(self.weight_decay)  # type: ignore[arg-type]
        for variable in variables:
            name = str(getattr(variable, "path", variable.name))
            if id(variable) not in self._undecayed and not any(part in name for part in self._undecayed_names):
                variable.assign_sub(variable * cast(part, variable.dtype))

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Variables, or parts of names, that weight decay leaves alone. Must be called before the first step."""
        self._undecayed.update(id(variable) for variable in var_list or ())
        self._undecayed_names = list(var_names or ())

    def _average(self, variables: list[Any]) -> None:
        momentum = where(equal(self.iterations, 0), 0.0, float(self.ema_momentum))
        for variable in variables:
            average = self._averages[self._get_variable_index(variable)]
            kept = cast(momentum, average.dtype)
            average.assign(average * kept + variable * (1.0 - kept))
        if self.ema_overwrite_frequency:
            due = equal(floormod(self.iterations + 1, self.ema_overwrite_frequency), 0)
            for variable in variables:
                variable.assign(where(due, self._averages[self._get_variable_index(variable)], variable))

    def finalize_variable_values(self, var_list: Iterable[Any]) -> None:
        """Sets the variables to their means over the steps, where `use_ema`: what `fit` does at its end."""
        if self.use_ema:
            for variable in var_list:
                variable.assign(self._averages[self._get_variable_index(variable)])

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * float(self.loss_scale_factor)

    def assign(self, variable: Any, value: Any) -> None:
        """Sets a variable: how Keras 3's optimizers write."""
        variable.assign(cast(value, variable.dtype))

    def assign_add(self, variable: Any, value: Any) -> None:
        variable.assign_add(cast(value, variable.dtype))

    def assign_sub(self, variable: Any, value: Any) -> None:
        variable.assign_sub(cast(value, variable.dtype))

    # ---- by itself

    def minimize(
        self, loss: Any, var_list: Any, tape: Any = None, grad_loss: Any = None, name: str | None = None
    ) -> Any:
        """One update against the gradient of a loss: a function without arguments, or a value made under `tape`."""
        return self.apply_gradients(self.compute_gradients(loss, var_list, tape, grad_loss))

    def compute_gradients(self, loss: Any, var_list: Any, tape: Any = None, grad_loss: Any = None) -> list[Any]:
        """Pairs (gradient, variable) of a loss; `var_list` may be a function that gives the variables."""
        if callable(loss):
            with tape or GradientTape() as tape:
                value = loss()
        elif tape is None:
            raise ValueError(explain(self.name, "a loss that is no function needs the tape under which it was made"))
        else:
            value = loss
        found: Any = var_list() if callable(var_list) else var_list
        variables = list(found)
        return list(zip(tape.gradient(value, variables, grad_loss), variables))

    def stateless_apply(
        self, optimizer_variables: Any, grads: Any, trainable_variables: Any
    ) -> tuple[list[Any], list[Any]]:
        """(values of the variables, of the optimizer's) after one update from these values; nothing is changed."""
        own, others = list(self._variables), list(self._trainable_variables)
        with holding(own, optimizer_variables, self.name), holding(others, trainable_variables, self.name):
            self.apply(grads, others)
            return [v.value() for v in others], [v.value() for v in own]

    # ---- as data

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer; a subclass adds its own to these."""
        names = (
            "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
            "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
        )  # fmt: skip
        settings = {
            "name": self.name,
            "learning_rate": self._rate_config(),
            **{name: getattr(self, name) for name in names},
        }
        if self._initial_decay:
            settings["decay"] = self._initial_decay
        return settings

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
        """The optimizer that `get_config` described."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = registry.deserialize("schedule", config["learning_rate"], custom_objects)
        return cls(**config)

    def __repr__(self) -> str:
        rate = type(self._learning_rate).__name__ if self._scheduled() else self._rate_config()
        return f"<{type(self).__name__} name={self.name} learning_rate={rate}>"


_RATE = frozenset({"_learning_rate"})


def _dense(gradient: Any) -> Any:
    if isinstance(gradient, IndexedSlices):
        return convert(gradient)
    return gradient if isinstance(gradient, Tensor) else convert(gradient)


def _check_ema(use_ema: bool, momentum: float, frequency: int | None) -> None:
    if use_ema and not 0 <= momentum <= 1:
        raise ValueError(explain("Optimizer", "ema_momentum must be between 0 and 1", {"ema_momentum": momentum}))
    if use_ema and frequency is not None and (not isinstance(frequency, int) or frequency < 1):
        raise ValueError(
            explain(
                "Optimizer",
                "ema_overwrite_frequency must be a whole number from 1 upwards",
                {"ema_overwrite_frequency": frequency},
            )
        )


def _check_accumulation(steps: int | None) -> int | None:
    if steps is not None and (not isinstance(steps, int) or steps < 2):
        raise ValueError(
            explain("Optimizer", "gradient_accumulation_steps must be a whole number from 2 upwards", {"given": steps})
        )
    return steps
