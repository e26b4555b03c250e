"""Optimizer: slots, clipping, decay, averaging, one step."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.core.naming import snake_case
from tensorsmith.keras import config, initializers, registry
from tensorsmith.keras.optimizers import clipping
from tensorsmith.keras.optimizers.dialect import Keras2Optimizer
from tensorsmith.keras.optimizers.schedules import LearningRateSchedule
from tensorsmith.keras.stateless import holding
from tensorsmith.keras.variable import Variable
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import equal, where
from tensorsmith.state.tape import GradientTape
from tensorsmith.state.variable import IndexedSlices
from tensorsmith.state.variable import Variable as StateVariable
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class CallableList(list):
    """A list that gives itself when called: Keras 2 asks for `optimizer.variables()`."""

    def __call__(self) -> CallableList:
        return self


class Optimizer(Keras2Optimizer):
    """Changes variables against their gradients. Subclasses write `build`, `update_step` and `get_config`.

    learning_rate    a number (kept in a variable, so that it can be changed while training), a LearningRateSchedule, or
                     a function without arguments.
    weight_decay     each step also takes `learning_rate * weight_decay` of each variable away.
    clipnorm         no gradient is longer than this (Euclidean length, each by itself).
    clipvalue        no element of a gradient is beyond plus or minus this.
    global_clipnorm  all gradients together are not longer than this. Only one of the three can be given.
    use_ema          keeps the mean of each variable over the steps: m = ema_momentum * m + (1 - ema_momentum) * variable;
                     `ema_overwrite_frequency=n` sets the variables to it every n steps.
    loss_scale_factor  the loss was multiplied by it: gradients are divided by it.
    name             by default the class in snake_case.

    `build(variables)` makes slots with `add_variable_from_reference`, after `super().build(variables)`;
    `update_step(gradient, variable, learning_rate)` assigns one variable and its slots. Both are traced into the training
    step, so they use tf functions; what all variables share in a step is computed once by `self.once`.

    Raises ValueError for a learning rate that is no number from 0 upwards, TypeError for unknown arguments.

    >>> class Plain(Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         variable.assign_sub(gradient * learning_rate)
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
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Any] = []
        self._index_dict: dict[int, int] = {}
        self._once: dict[str, Any] | None = None
        self._undecayed: set[int] = set()
        self._undecayed_names: list[str] = []
        self._iterations = self._scalar("iteration", np.zeros((), "int64"), "int64")
        self._learning_rate: Any = None
        if learning_rate is not None:
            self._learning_rate = self._build_learning_rate(learning_rate)

    # ---- its variables

    @property
    def variables(self) -> CallableList:
        """Its variables: iterations, the learning rate, then the slots in the order in which they were made."""
        return CallableList(self._variables)

    weights = variables

    @property
    def iterations(self) -> Any:
        """The number of updates so far, an int64 variable."""
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The variable that holds the rate; with a schedule, its value at this step."""
        return self._current_rate() if self._scheduled() else self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or self._learning_rate is None:
            self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = self._build_learning_rate(value)
        elif self._scheduled():
            raise TypeError(
                explain(
                    self.name,
                    "its learning rate follows a schedule and cannot be set",
                    {"given": value},
                    way_out="Make the optimizer with a number, or set another schedule.",
                )
            )
        else:
            self._learning_rate.assign(_rate(value))

    lr = learning_rate

    def _scheduled(self) -> bool:
        return self._learning_rate is not None and not isinstance(self._learning_rate, StateVariable)

    def _build_learning_rate(self, value: Any) -> Any:
        """What holds a learning rate: a variable for a number, a schedule or function as it is."""
        if isinstance(value, dict):
            value = registry.deserialize("schedule", value)
        if isinstance(value, (LearningRateSchedule, StateVariable)) or (callable(value) and not isinstance(value, Tensor)):
            return value
        return self._scalar("learning_rate", np.asarray(_rate(value), config.floatx()), config.floatx())

    def _current_rate(self) -> Tensor:
        """The rate of this step as a scalar tensor."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            rate = convert(self._learning_rate(self._iterations))
        elif self._scheduled():
            rate = convert(self._learning_rate(), None, np.dtype(config.floatx()))
        else:
            rate = convert(self._learning_rate)
        if self._initial_decay:
            rate = rate / (cast(self._iterations, rate.dtype) * self._initial_decay + 1.0)
        return rate

    def _scalar(self, name: str, value: Any, dtype: Any) -> Variable:
        variable = Variable(value, dtype=dtype, trainable=False, name=name, path=f"{self.name}/{name}")
        self._variables.append(variable)
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: Any = None,
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A new variable of the optimizer."""
        made = Variable(
            initializers.get(initializer),
            shape=shape,
            dtype=dtype or config.floatx(),
            trainable=False,
            name=name,
            path=f"{self.name}/{name or 'variable'}",
        )
        self._variables.append(made)
        return made

    def add_variable_from_reference(
        self,
        reference_variable: Any = None,
        name: str | None = None,
        initializer: Any = "zeros",
        *,
        model_variable: Any = None,
        variable_name: str | None = None,
        shape: Any = None,
        initial_value: Any = None,
    ) -> Variable:
        """A slot: a variable of the shape and dtype of one of the model's, named after it.

        The last four arguments are Keras 2's names for the same.
        """
        model_variable = model_variable if reference_variable is None else reference_variable
        path = str(getattr(model_variable, "path", None) or model_variable.name)
        return self.add_variable(
            tuple(model_variable.shape if shape is None else shape),
            initializer if initial_value is None else initializers.Constant(initial_value),
            model_variable.dtype,
            name=f"{path.replace('/', '_').replace(':', '_')}_{name or variable_name or 'var'}",
        )

    def add_optimizer_variables(self, trainable_variables: Any, name: Any, initializer: Any = "zeros") -> Any:
        """Slots for each variable: a list; for several names a tuple of lists, made variable by variable."""
        names = name if isinstance(name, (list, tuple)) else [name]
        starts = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        lists: tuple[list[Any], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for slots, one, start in zip(lists, names, starts):
                slots.append(self.add_variable_from_reference(variable, one, start))
        return lists if isinstance(name, (list, tuple)) else lists[0]

    def build(self, variables: Iterable[Any]) -> None:
        """Notes the variables it will change; a subclass makes its slots after this."""
        variables = list(variables)
        self._trainable_variables = variables
        self._index_dict = {id(variable): at for at, variable in enumerate(variables)}
        if self.use_ema and not self.built:
            self._averages = self.add_optimizer_variables(variables, "average")
        self.built = True
        self._create_slots(variables)

    @property
    def _built(self) -> bool:
        return self.built

    @_built.setter
    def _built(self, value: bool) -> None:
        self.built = value

    def _var_key(self, variable: Any) -> int:
        return id(variable)

    def _get_variable_index(self, variable: Any) -> int:
        """The place of a variable in the list given to `build`."""
        return self._index_dict[id(variable)]

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
        return self.once(f"steps {dtype}", lambda: cast(self._iterations, dtype) + 1.0)

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
                explain(self.name, "there must be one gradient for each variable", {"gradients": len(gradients), "variables": len(variables)})
            )
        if not self.built:
            self.build(variables)
            self.built = True
        self._check_known(variables)
        gradients, variables = self._with_gradient(gradients, variables)
        self._once = {}
        try:
            self._step(gradients, variables)
        finally:
            # what was computed for a step may be symbols of a trace, which end with it
            self._once = None

    def _step(self, gradients: list[Any], variables: list[Any]) -> None:
        rate = self._current_rate()
        if self.loss_scale_factor:
            gradients = [gradient / float(self.loss_scale_factor) for gradient in gradients]
        gradients = clipping.clip(gradients, self.clipnorm, self.clipvalue, self.global_clipnorm)
        if self.weight_decay:
            self._decay(variables, rate)
        with_rate = self._takes_rate()
        for gradient, variable in zip(gradients, variables):
            if with_rate:
                self.update_step(gradient, variable, rate)
            else:
                self.update_step(gradient, variable)  # type: ignore[call-arg]
        if self.use_ema:
            self._average(variables)
        for variable in variables:
            constraint = getattr(variable, "constraint", None)
            if constraint is not None:
                variable.assign(constraint(variable))
        self._iterations.assign_add(1)

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
            warnings.warn(f"{self.name}: the loss does not depend on {', '.join(without)}; they stay as they are.", stacklevel=4)
        return [gradient for gradient, _ in kept], [variable for _, variable in kept]

    def _decay(self, variables: list[Any], rate: Tensor) -> None:
        part = rate * float(self.weight_decay)  # type: ignore[arg-type]
        for variable in variables:
            if id(variable) not in self._undecayed:
                variable.assign_sub(variable * cast(part, variable.dtype))

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Variables, or parts of names, that weight decay leaves alone. Must be called before the first step."""
        self._undecayed.update(id(variable) for variable in var_list or ())
        self._undecayed_names = list(var_names or ())

    def _average(self, variables: list[Any]) -> None:
        momentum = where(equal(self._iterations, 0), 0.0, float(self.ema_momentum))
        for variable in variables:
            average = self._averages[self._get_variable_index(variable)]
            kept = cast(momentum, average.dtype)
            average.assign(average * kept + variable * (1.0 - kept))
        if self.ema_overwrite_frequency:
            due = equal((self._iterations + 1) % self.ema_overwrite_frequency, 0)
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

    def minimize(self, loss: Any, var_list: Any, tape: Any = None, grad_loss: Any = None, name: str | None = None) -> Any:
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
        variables = list(var_list() if callable(var_list) else var_list)
        return list(zip(tape.gradient(value, variables, grad_loss), variables))

    def stateless_apply(self, optimizer_variables: Any, grads: Any, trainable_variables: Any) -> tuple[list[Any], list[Any]]:
        """(values of the variables, values of the optimizer's) after one update from these values; nothing is changed."""
        own, others = list(self._variables), list(self._trainable_variables)
        with holding(own, optimizer_variables, self.name), holding(others, trainable_variables, self.name):
            self.apply(grads, others)
            return [v.value() for v in others], [v.value() for v in own]

    # ---- saved and loaded

    def get_weights(self) -> list[Any]:
        """The values of its variables as NumPy arrays."""
        return [variable.numpy() for variable in self._variables]

    def set_weights(self, weights: Any) -> None:
        """Sets its variables, in order; ValueError where number or shapes differ."""
        if len(weights) != len(self._variables):
            raise ValueError(
                explain(self.name, "there must be one array for each variable", {"arrays": len(weights), "variables": len(self._variables)})
            )
        for variable, value in zip(self._variables, weights):
            variable.assign(np.asarray(value, variable.dtype.numpy_dtype))

    def save_own_variables(self, store: Any) -> None:
        """Puts its arrays into `store` as "0", "1", ..."""
        for at, variable in enumerate(self._variables):
            store[str(at)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Sets its variables to the arrays in `store`; ValueError where their number differs."""
        self.set_weights([np.asarray(store[str(at)]) for at in range(len(store.keys()))])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer; a subclass adds its own to these."""
        names = (
            "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum", "ema_overwrite_frequency",
            "loss_scale_factor", "gradient_accumulation_steps",
        )  # fmt: skip
        settings = {"name": self.name, "learning_rate": self._rate_config(), **{name: getattr(self, name) for name in names}}
        if self._initial_decay:
            settings["decay"] = self._initial_decay
        return settings

    def _rate_config(self) -> Any:
        if isinstance(self._learning_rate, StateVariable):
            # the shortest number that is this one in its dtype: 0.001, not 0.0010000000474974513
            return float(str(self._learning_rate.numpy()))
        return registry.serialize("schedule", self._learning_rate)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
        """The optimizer that `get_config` described."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = registry.deserialize("schedule", config["learning_rate"], custom_objects)
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name} learning_rate={self._rate_config()}>"


def _rate(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, (bool, str)) or not number >= 0:
        raise ValueError(
            explain(
                "Optimizer",
                "learning_rate must be a number from 0 upwards, a LearningRateSchedule or a function",
                {"learning_rate": repr(value)},
            )
        )
    return number


def _dense(gradient: Any) -> Any:
    if isinstance(gradient, IndexedSlices):
        return convert(gradient)
    return gradient if isinstance(gradient, Tensor) else convert(gradient)


def _check_ema(use_ema: bool, momentum: float, frequency: int | None) -> None:
    if use_ema and not 0 <= momentum <= 1:
        raise ValueError(explain("Optimizer", "ema_momentum must be between 0 and 1", {"ema_momentum": momentum}))
    if use_ema and frequency is not None and (not isinstance(frequency, int) or frequency < 1):
        raise ValueError(
            explain("Optimizer", "ema_overwrite_frequency must be a whole number from 1 upwards", {"ema_overwrite_frequency": frequency})
        )


def _check_accumulation(steps: int | None) -> int | None:
    if steps is not None and (not isinstance(steps, int) or steps < 2):
        raise ValueError(
            explain("Optimizer", "gradient_accumulation_steps must be a whole number from 2 upwards", {"given": steps})
        )
    return steps
