"""SGD with momentum and Nesterov."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorsmith.keras.optimizers.base import Optimizer
from tensorsmith.ops.casting import cast


class SGD(Optimizer):
    """Gradient descent.

        w = w - rate * g                                     without momentum
        m = momentum * m - rate * g,  w = w + m              with momentum
        m as above,  w = w + momentum * m - rate * g         with nesterov

    Source of nesterov: Sutskever et al. (2013), On the importance of initialization and momentum in deep learning.

    >>> from tensorsmith.keras.variable import Variable
    >>> w = Variable([1.0])
    >>> SGD(learning_rate=0.5).apply([w * 2.0], [w])
    >>> w.numpy().item()  # 1 - 0.5 * 2
    0.0
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **settings)
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must be between 0 and 1 (momentum={momentum}).")
        self.momentum, self.nesterov = momentum, nesterov
        self._momentums: list[Any] = []

    def build(self, variables: Iterable[Any]) -> None:
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        if self.momentum:
            self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = gradient * cast(learning_rate, variable.dtype)
        if not self.momentum:
            variable.assign_sub(step)
            return
        momentum = self._momentums[self._get_variable_index(variable)]
        speed = momentum * float(self.momentum) - step
        momentum.assign(speed)
        variable.assign_add(speed * float(self.momentum) - step if self.nesterov else speed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
