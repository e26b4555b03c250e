"""Adam, AdamW, Adamax, Nadam.

In the formulas g is the gradient, t the number of the step from 1, m and v run as means of g and g**2:

    m = m + (1 - beta_1) * (g - m)
    v = v + (1 - beta_2) * (g**2 - v)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorsmith.keras.optimizers.base import Optimizer
from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import abs, maximum, pow, sqrt, square


class Adam(Optimizer):
    """w = w - rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon).

    amsgrad  True: the largest v so far stands in its place.

    Source: Kingma and Ba (2014), Adam: a method for stochastic optimization; amsgrad: Reddi et al. (2018).

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([1.0])
    >>> Adam(learning_rate=0.5).apply([w * 2.0], [w])
    >>> round(w.numpy().item(), 4)  # the first step is as long as the rate
    0.5
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **settings)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def build(self, variables: Iterable[Any]) -> None:
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ("momentum", "velocity"))
        if self.amsgrad:
            self._highest = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        at = self._get_variable_index(variable)
        rate = self.once("rate", lambda: self._corrected(learning_rate))
        m = moved(self._momentums[at], gradient, self.beta_1)
        v = moved(self._velocities[at], square(gradient), self.beta_2)
        if self.amsgrad:
            v = maximum(self._highest[at], v)
            self._highest[at].assign(v)
        variable.assign_sub(m * cast(rate, variable.dtype) / (sqrt(v) + float(self.epsilon)))

    def _corrected(self, rate: Any) -> Any:
        """The rate times what corrects the means, which start at 0, for the first steps."""
        t = self.steps(rate.dtype)
        return rate * sqrt(1.0 - pow(float(self.beta_2), t)) / (1.0 - pow(float(self.beta_1), t))

    def get_config(self) -> dict[str, Any]:
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": self.amsgrad}
        return {**super().get_config(), **own}


def moved(mean: Any, value: Any, beta: float) -> Any:
    """Moves a running mean towards a value by 1 - beta, and gives it."""
    new = mean + (value - mean) * (1.0 - float(beta))
    mean.assign(new)
    return new


class AdamW(Adam):
    """Adam that also takes rate * weight_decay * w away from each variable.

    Source: Loshchilov and Hutter (2017), Decoupled weight decay regularization.

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([1.0])
    >>> AdamW(learning_rate=0.5, weight_decay=0.2).apply([w * 0.0], [w])
    >>> round(w.numpy().item(), 4)  # 1 - 0.5 * 0.2
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number; Adam is the optimizer without it.")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, name, weight_decay=weight_decay, **settings)


class Adamax(Optimizer):
    """w = w - rate / (1 - beta_1**t) * m / (u + epsilon),  u = max(beta_2 * u, |g|).

    Source: Kingma and Ba (2014), Adam: a method for stochastic optimization, section 7.

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([1.0])
    >>> Adamax(learning_rate=0.5).apply([w * 2.0], [w])
    >>> round(w.numpy().item(), 4)
    0.5
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **settings)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, variables: Iterable[Any]) -> None:
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        self._m, self._u = self.add_optimizer_variables(variables, ("momentum", "norm"))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        at = self._get_variable_index(variable)
        rate = self.once(
            "rate", lambda: learning_rate / (1.0 - pow(float(self.beta_1), self.steps(learning_rate.dtype)))
        )
        m = moved(self._m[at], gradient, self.beta_1)
        u = maximum(self._u[at] * float(self.beta_2), abs(gradient))
        self._u[at].assign(u)
        variable.assign_sub(m * cast(rate, variable.dtype) / (u + float(self.epsilon)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


class Nadam(Optimizer):
    """Adam with Nesterov's look ahead.

        u(t) = beta_1 * (1 - 0.96**t / 2),  p(t) = u(1) * ... * u(t)
        w = w - rate * (u(t+1) * m / (1 - p(t+1)) + (1 - u(t)) * g / (1 - p(t))) / (sqrt(v / (1 - beta_2**t)) + epsilon)

    p is kept as a scalar variable.

    Source: Dozat (2016), Incorporating Nesterov momentum into Adam.

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([1.0])
    >>> Nadam(learning_rate=0.5).apply([w * 2.0], [w])
    >>> w.numpy().item() < 0.5
    True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **settings)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, variables: Iterable[Any]) -> None:
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ("momentum", "velocity"))
        self._product = self.add_variable((), "ones", name="momentum_product")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        at = self._get_variable_index(variable)
        of_mean, of_gradient, of_squares = self.once("factors", lambda: self._factors(learning_rate))
        dtype = variable.dtype
        m = moved(self._momentums[at], gradient, self.beta_1)
        v = moved(self._velocities[at], square(gradient), self.beta_2)
        step = m * cast(of_mean, dtype) + gradient * cast(of_gradient, dtype)
        variable.assign_sub(step / (sqrt(v * cast(of_squares, dtype)) + float(self.epsilon)))

    def _factors(self, rate: Any) -> tuple[Any, Any, Any]:
        """What m, g and v are multiplied by in this step; the product of momenta moves on."""
        t = self.steps(rate.dtype)
        fall = pow(0.96, t) * 0.5
        now, after = (1.0 - fall) * float(self.beta_1), (1.0 - fall * 0.96) * float(self.beta_1)
        product = cast(self._product, rate.dtype) * now
        self._product.assign(cast(product, self._product.dtype))
        of_squares = 1.0 / (1.0 - pow(float(self.beta_2), t))
        return rate * after / (1.0 - product * after), rate * (1.0 - now) / (1.0 - product), of_squares

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
