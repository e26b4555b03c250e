"""Learning rates as functions of the step."""

from __future__ import annotations

import math
from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.keras import registry
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.elementwise import log, maximum, minimum, pow
from tensorsmith.ops.rounding import ceil, floor
from tensorsmith.ops.trigonometry import cos
from tensorsmith.tensor.tensor import Tensor


class LearningRateSchedule:
    """A learning rate that follows the step: subclasses write `__call__(step)` and `get_config`.

    The step is an integer tensor, the number of updates so far; the result is a float32 scalar. The schedule is traced
    into the training step, so it uses tf functions.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 1.0 / (1.0 + cast(step, "float32"))
    >>> Halving()(1).numpy().item()
    0.5
    """

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must write __call__(self, step).")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} must write get_config(self), so that it can be saved.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """The schedule that `get_config` described."""
        return cls(**config)


def _steps(step: Any) -> Tensor:
    return cast(step, "float32")


class ExponentialDecay(LearningRateSchedule):
    """initial * rate ** (step / decay_steps).

    staircase  True: step / decay_steps is rounded down.

    >>> ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)(20).numpy().item()
    0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        _positive("ExponentialDecay", decay_steps=decay_steps)

    def __call__(self, step: Any) -> Tensor:
        part = _steps(step) / float(self.decay_steps)
        part = floor(part) if self.staircase else part
        return pow(float(self.decay_rate), part) * float(self.initial_learning_rate)

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate decay_steps decay_rate staircase name")


class InverseTimeDecay(LearningRateSchedule):
    """initial / (1 + rate * step / decay_steps).

    staircase  True: step / decay_steps is rounded down.

    >>> InverseTimeDecay(1.0, decay_steps=10, decay_rate=1.0)(10).numpy().item()
    0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        _positive("InverseTimeDecay", decay_steps=decay_steps)

    def __call__(self, step: Any) -> Tensor:
        part = _steps(step) / float(self.decay_steps)
        part = floor(part) if self.staircase else part
        return float(self.initial_learning_rate) / (part * float(self.decay_rate) + 1.0)

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate decay_steps decay_rate staircase name")


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to step boundaries[0], then values[1] up to boundaries[1], and so on; the last value from there.

    Raises ValueError unless there is one value more than boundaries.

    >>> rate = PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
    >>> [rate(step).numpy().item() for step in (10, 11, 21)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, boundaries: Any, values: Any, name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                explain(
                    "PiecewiseConstantDecay",
                    "there must be one value more than boundaries",
                    {"boundaries": len(boundaries), "values": len(values)},
                )
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: Any) -> Tensor:
        step = _steps(step)
        rate: Any = float(self.values[-1])
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1])):
            rate = where(step <= float(boundary), float(value), rate)
        return cast(rate, "float32")

    def get_config(self) -> dict[str, Any]:
        return _config(self, "boundaries values name")


class PolynomialDecay(LearningRateSchedule):
    """(initial - end) * (1 - step / decay_steps) ** power + end, from decay_steps on: end.

    cycle  True: after decay_steps it starts anew from where a decay over the next multiple of decay_steps would be.

    >>> PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.5)(5).numpy().item()
    0.75
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.end_learning_rate = (
            initial_learning_rate,
            decay_steps,
            end_learning_rate,
        )
        self.power, self.cycle, self.name = power, cycle, name
        _positive("PolynomialDecay", decay_steps=decay_steps)

    def __call__(self, step: Any) -> Tensor:
        step, length = _steps(step), float(self.decay_steps)
        if self.cycle:
            length = maximum(ceil(step / length), 1.0) * length
        part = minimum(step, length) / length
        end = float(self.end_learning_rate)
        return pow(1.0 - part, float(self.power)) * (float(self.initial_learning_rate) - end) + end

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate decay_steps end_learning_rate power cycle name")


class CosineDecay(LearningRateSchedule):
    """A linear rise to the warm-up target over warmup_steps, then a half cosine wave down to alpha times the start.

    alpha          the last rate, as a part of the one the decay starts from.
    warmup_target  the rate after the rise; None: there is no rise.

    >>> round(CosineDecay(1.0, decay_steps=10)(5).numpy().item(), 4)
    0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.name, self.warmup_target, self.warmup_steps = name, warmup_target, warmup_steps
        _positive("CosineDecay", decay_steps=decay_steps)

    def __call__(self, step: Any) -> Tensor:
        step, initial = _steps(step), float(self.initial_learning_rate)
        if self.warmup_target is None:
            return self._decayed(step, initial)
        rise, top = float(self.warmup_steps), float(self.warmup_target)
        rising = step * ((top - initial) / rise if rise else 0.0) + initial
        return where(step < rise, rising, self._decayed(step - rise, top))

    def _decayed(self, step: Tensor, start: float) -> Tensor:
        part = minimum(step, float(self.decay_steps)) / float(self.decay_steps)
        wave = (cos(part * math.pi) + 1.0) * 0.5
        return (wave * (1.0 - float(self.alpha)) + float(self.alpha)) * start

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate decay_steps alpha name warmup_target warmup_steps")


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosine waves down to alpha times the start, one after another.

    first_decay_steps  the length of the first wave; each is t_mul times as long as the one before
    m_mul              and starts m_mul times as high.

    >>> rate = CosineDecayRestarts(1.0, first_decay_steps=10)
    >>> [round(rate(step).numpy().item(), 4) for step in (0, 5, 10)]
    [1.0, 0.5, 1.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name
        _positive("CosineDecayRestarts", first_decay_steps=first_decay_steps)

    def __call__(self, step: Any) -> Tensor:
        part = _steps(step) / float(self.first_decay_steps)
        longer, alpha = float(self.t_mul), float(self.alpha)
        if longer == 1.0:
            wave = floor(part)
            part = part - wave
        else:
            # the waves' lengths are a geometric series: wave k starts at (t**k - 1) / (t - 1)
            wave = floor(log(part * (longer - 1.0) + 1.0) / math.log(longer))
            part = (part - (pow(longer, wave) - 1.0) / (longer - 1.0)) / pow(longer, wave)
        height = (cos(part * math.pi) + 1.0) * 0.5 * pow(float(self.m_mul), wave)
        return (height * (1.0 - alpha) + alpha) * float(self.initial_learning_rate)

    def get_config(self) -> dict[str, Any]:
        return _config(self, "initial_learning_rate first_decay_steps t_mul m_mul alpha name")


def _config(schedule: Any, names: str) -> dict[str, Any]:
    return {name: getattr(schedule, name) for name in names.split()}


def _positive(who: str, **settings: Any) -> None:
    for name, value in settings.items():
        if not value > 0:
            raise ValueError(explain(who, f"{name} must be above 0", {name: value}))


def serialize(schedule: Any) -> Any:
    """The config of a schedule."""
    return registry.serialize("schedule", schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule that `serialize` described."""
    return registry.deserialize("schedule", config, custom_objects)


for _class in (
    LearningRateSchedule, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay, CosineDecay,
    CosineDecayRestarts,
):  # fmt: skip
    registry.register("schedule", _class)
