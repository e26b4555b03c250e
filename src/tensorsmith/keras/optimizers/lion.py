"""Lion: steps of one size, in the direction of a sign."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorsmith.keras.optimizers.base import Optimizer
from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import sign


class Lion(Optimizer):
    """w = w - rate * sign(beta_1 * m + (1 - beta_1) * g),  then  m = beta_2 * m + (1 - beta_2) * g.

    Source: Chen et al. (2023), Symbolic discovery of optimization algorithms.

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([1.0])
    >>> Lion(learning_rate=0.25).apply([w * 2.0], [w])
    >>> w.numpy().item()
    0.75
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **settings)
        if not 0 < beta_1 <= 1:
            raise ValueError(f"Lion: beta_1 must be above 0 and not above 1 (beta_1={beta_1}).")
        self.beta_1, self.beta_2 = beta_1, beta_2

    def build(self, variables: Iterable[Any]) -> None:
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        momentum = self._momentums[self._get_variable_index(variable)]
        beta_1, beta_2 = float(self.beta_1), float(self.beta_2)
        step = sign(momentum * beta_1 + gradient * (1.0 - beta_1))
        variable.assign_sub(step * cast(learning_rate, variable.dtype))
        momentum.assign(momentum * beta_2 + gradient * (1.0 - beta_2))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
