"""What an optimizer remembers: the count of steps, the learning rate, slots for each variable; saved and loaded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.function.autograph import in_trace
from tensorsmith.keras import config, initializers, registry
from tensorsmith.keras.optimizers.schedules import LearningRateSchedule
from tensorsmith.keras.variable import Variable
from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import floordiv
from tensorsmith.state.variable import Variable as StateVariable
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class CallableList(list):
    """A list that gives itself when called: Keras 2 asks for `optimizer.variables()`."""

    def __call__(self) -> CallableList:
        return self


class OptimizerState:
    """The variables of an optimizer and how they are made; the base of `Optimizer`, which says what a step does."""

    name: str
    use_ema: bool
    gradient_accumulation_steps: int | None
    _initial_decay: float

    def _begin(self, learning_rate: Any) -> None:
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Any] = []
        self._index_dict: dict[int, int] = {}
        self._iterations = self._scalar("iteration", np.zeros((), "int64"), "int64")
        self._learning_rate: Any = None
        if learning_rate is not None:
            self._learning_rate = self._build_learning_rate(learning_rate)

    @property
    def variables(self) -> CallableList:
        """Its variables: iterations, the learning rate, then the slots in the order in which they were made."""
        return CallableList(self._variables)

    weights = variables

    @property
    def iterations(self) -> Any:
        """The number of updates so far: an int64 variable; where gradients are added up, a tensor."""
        if self.gradient_accumulation_steps:
            return floordiv(self._iterations, self.gradient_accumulation_steps)
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
        if isinstance(value, (LearningRateSchedule, StateVariable)) or (
            callable(value) and not isinstance(value, Tensor)
        ):
            return value
        return self._scalar("learning_rate", np.asarray(_rate(value), config.floatx()), config.floatx())

    def _current_rate(self) -> Tensor:
        """The rate of this step as a scalar tensor."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            rate = convert(in_trace(self._learning_rate)(self.iterations))
        elif self._scheduled():
            rate = convert(in_trace(self._learning_rate)(), None, np.dtype(config.floatx()))
        else:
            rate = convert(self._learning_rate)
        if self._initial_decay:
            rate = rate / (cast(self.iterations, rate.dtype) * self._initial_decay + 1.0)
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

    def _create_slots(self, var_list: Any) -> None:
        """Makes the slots of all variables, in optimizers of TensorFlow 2.0 to 2.10."""

    def build(self, variables: Iterable[Any]) -> None:
        """Notes the variables it will change; a subclass makes its slots after this."""
        variables = list(variables)
        self._trainable_variables = variables
        self._index_dict = {id(variable): at for at, variable in enumerate(variables)}
        if self.use_ema and not self.built:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps and not self.built:
            self._sums = self.add_optimizer_variables(variables, "gradient_accumulator")
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

    # ---- saved and loaded

    def get_weights(self) -> list[Any]:
        """The values of its variables as NumPy arrays."""
        return [variable.numpy() for variable in self._variables]

    def set_weights(self, weights: Any) -> None:
        """Sets its variables, in order; ValueError where number or shapes differ."""
        if len(weights) != len(self._variables):
            raise ValueError(
                explain(
                    self.name,
                    "there must be one array for each variable",
                    {"arrays": len(weights), "variables": len(self._variables)},
                )
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

    def _rate_config(self) -> Any:
        if isinstance(self._learning_rate, StateVariable):
            # the shortest number that is this one in its dtype: 0.001, not 0.0010000000474974513
            return float(str(self._learning_rate.numpy()))
        return registry.serialize("schedule", self._learning_rate)


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
