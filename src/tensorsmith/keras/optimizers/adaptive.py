"""RMSprop, Adagrad, Adadelta, Ftrl: step sizes that follow the size of past gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorsmith.keras.initializers import Constant
from tensorsmith.keras.optimizers.base import Optimizer
from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import clip_by_value, pow, rsqrt, sqrt, square


class RMSprop(Optimizer):
    """The gradient divided by the root of the running mean of its square.

        v = rho * v + (1 - rho) * g**2
        s = rate * g / sqrt(v + epsilon)                 (centered: v - a**2, a the running mean of g)
        w = w - s                                        without momentum
        m = momentum * m + s,  w = w - m                 with momentum

    Source: Tieleman and Hinton (2012), lecture 6.5.

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([1.0])
    >>> RMSprop(learning_rate=0.1, rho=0.0).apply([w * 2.0], [w])
    >>> round(w.numpy().item(), 4)
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **settings)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def build(self, variables: Iterable[Any]) -> None:
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum > 0 else []
        self._averages_of_gradients = (
            self.add_optimizer_variables(variables, "average_gradient") if self.centered else []
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        at, rho = self._get_variable_index(variable), float(self.rho)
        velocity = self._velocities[at] * rho + square(gradient) * (1.0 - rho)
        self._velocities[at].assign(velocity)
        if self.centered:
            average = self._averages_of_gradients[at] * rho + gradient * (1.0 - rho)
            self._averages_of_gradients[at].assign(average)
            velocity = velocity - square(average)
        step = gradient * cast(learning_rate, variable.dtype) * rsqrt(velocity + float(self.epsilon))
        if self.momentum > 0:
            step = self._momentums[at] * float(self.momentum) + step
            self._momentums[at].assign(step)
        variable.assign_sub(step)

    def get_config(self) -> dict[str, Any]:
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}


class Adagrad(Optimizer):
    """a = a + g**2,  w = w - rate * g / sqrt(a + epsilon).

    initial_accumulator_value  where a starts.

    Source: Duchi et al. (2011), Adaptive subgradient methods.

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([1.0])
    >>> Adagrad(learning_rate=0.1, initial_accumulator_value=0.0).apply([w * 2.0], [w])
    >>> round(w.numpy().item(), 4)
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **settings)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def build(self, variables: Iterable[Any]) -> None:
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        self._accumulators = self.add_optimizer_variables(
            variables, "accumulator", Constant(self.initial_accumulator_value)
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        accumulator = self._accumulators[self._get_variable_index(variable)]
        total = accumulator + square(gradient)
        accumulator.assign(total)
        variable.assign_sub(gradient * cast(learning_rate, variable.dtype) * rsqrt(total + float(self.epsilon)))

    def get_config(self) -> dict[str, Any]:
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adadelta(Optimizer):
    """Steps in the unit of the variable: the ratio of the mean sizes of past steps and past gradients.

        a = rho * a + (1 - rho) * g**2
        s = g * sqrt(d + epsilon) / sqrt(a + epsilon)
        d = rho * d + (1 - rho) * s**2,  w = w - rate * s

    Source: Zeiler (2012), Adadelta: an adaptive learning rate method.

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([1.0])
    >>> Adadelta(learning_rate=1.0, rho=0.0, epsilon=1.0).apply([w * 2.0], [w])
    >>> round(1 - w.numpy().item(), 4) == round(2 / 5**0.5, 4)
    True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **settings)
        self.rho, self.epsilon = rho, epsilon

    def build(self, variables: Iterable[Any]) -> None:
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        names = "accumulated_grad", "accumulated_delta_var"
        self._gradients, self._steps = self.add_optimizer_variables(variables, names)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        at, rho, small = self._get_variable_index(variable), float(self.rho), float(self.epsilon)
        squares = self._gradients[at] * rho + square(gradient) * (1.0 - rho)
        self._gradients[at].assign(squares)
        step = gradient * sqrt(self._steps[at] + small) * rsqrt(squares + small)
        self._steps[at].assign(self._steps[at] * rho + square(step) * (1.0 - rho))
        variable.assign_sub(step * cast(learning_rate, variable.dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


class Ftrl(Optimizer):
    """Follow the regularized leader: each variable is solved anew from sums over all gradients.

        n' = n + g**2,  with q = -learning_rate_power
        z = z + g + 2 * shrinkage * w - (n'**q - n**q) / rate * w
        w = (clip(z, -l1, l1) - z) / (n'**q / rate + 2 * (l2 + beta / (2 * rate)))

    Source: McMahan et al. (2013), Ad click prediction: a view from the trenches.

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([0.0])
    >>> Ftrl(learning_rate=1.0, initial_accumulator_value=0.0).apply([w + 2.0], [w])
    >>> w.numpy().item()  # -2 / sqrt(2**2)
    -1.0
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **settings)
        strengths = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        for word, value in strengths.items():
            if value < 0:
                raise ValueError(f"Ftrl: {word} must not be below 0 ({word}={value}).")
        if learning_rate_power > 0:
            raise ValueError(
                f"Ftrl: learning_rate_power must not be above 0 (learning_rate_power={learning_rate_power})."
            )
        self.learning_rate_power, self.beta = learning_rate_power, beta
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength

    def build(self, variables: Iterable[Any]) -> None:
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        starts = Constant(self.initial_accumulator_value), "zeros"
        self._accumulators, self._linears = self.add_optimizer_variables(variables, ("accumulator", "linear"), starts)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        at, power = self._get_variable_index(variable), -float(self.learning_rate_power)
        accumulator, linear = self._accumulators[at], self._linears[at]
        inverse = cast(self.once("inverse", lambda: 1.0 / learning_rate), variable.dtype)
        total = accumulator + square(gradient)
        new, old = pow(total, power), pow(accumulator, power)
        accumulator.assign(total)
        pull = gradient
        if self.l2_shrinkage_regularization_strength:
            pull = gradient + variable * (2.0 * float(self.l2_shrinkage_regularization_strength))
        z = linear + pull - (new - old) * inverse * variable
        linear.assign(z)
        l1 = float(self.l1_regularization_strength)
        # 2 * (l2 + beta / (2 * rate)) = 2 * l2 + beta / rate
        bottom = new * inverse + (inverse * float(self.beta) + 2.0 * float(self.l2_regularization_strength))
        variable.assign((clip_by_value(z, -l1, l1) - z) / bottom)

    def get_config(self) -> dict[str, Any]:
        names = (
            "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
            "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta",
        )  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
