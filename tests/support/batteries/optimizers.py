"""What every optimizer must do. Rows of CASES for each built-in class: settings off their defaults."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.keras import registry
from tensorsmith.keras.variable import Variable
from tensorsmith.tensor.tensor import Tensor
from tests.support import compiled

CASES: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True, "learning_rate": 0.1},
        {"clipnorm": 0.5},
        {"clipvalue": 0.3},
        {"global_clipnorm": 0.7},
        {"use_ema": True, "ema_momentum": 0.8},
        {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    ],
    "RMSprop": [{}, {"momentum": 0.5, "centered": True, "rho": 0.8}],
    "Adam": [
        {},
        {"amsgrad": True, "learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3},
        {"weight_decay": 0.1},
        {"gradient_accumulation_steps": 3},
    ],
    "AdamW": [{}, {"weight_decay": 0.1}],
    "Adamax": [{}, {"beta_1": 0.8, "beta_2": 0.9, "learning_rate": 0.1}],
    "Nadam": [
        {},
        {"beta_1": 0.8, "beta_2": 0.95, "learning_rate": 0.1},
        {"loss_scale_factor": 4.0},
        {"gradient_accumulation_steps": 2, "use_ema": True},
    ],
    "Adagrad": [{}, {"initial_accumulator_value": 0.5, "learning_rate": 0.1, "epsilon": 1e-2}],
    "Adadelta": [{}, {"rho": 0.8, "learning_rate": 0.5, "epsilon": 1e-3}],
    "Ftrl": [
        {},
        {
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.3,
            "beta": 0.4,
            "learning_rate": 0.1,
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.3,
        },
    ],
    "Lion": [{}, {"beta_1": 0.8, "beta_2": 0.9, "learning_rate": 0.1}],
}
BASES = {"Optimizer"}
ROWS = [(name, settings) for name, rows in CASES.items() for settings in rows]

STEPS = 10
SHAPES = ((3, 2), (2,))


def starts() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(size=shape).astype("float32") for shape in SHAPES]


def gradients(step: int, dtype: str = "float32") -> list[np.ndarray]:
    random = np.random.default_rng(100 + step)
    return [random.normal(size=shape).astype(dtype) for shape in SHAPES]


def variables(dtype: str = "float32") -> list[Variable]:
    return [Variable(start.astype(dtype), dtype=dtype, name=name) for start, name in zip(starts(), "ab", strict=True)]


def step(optimizer: Any, changed: list[Variable], at: int) -> None:
    dtype = changed[0].dtype.name
    optimizer.apply([Tensor(gradient) for gradient in gradients(at, dtype)], changed)


def same(one: Any, other: Any, rtol: float = 1e-6) -> None:
    """Equal to `rtol` of the largest element."""
    one, other = np.asarray(one), np.asarray(other)
    assert one.shape == other.shape
    np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * np.abs(other).max(initial=0.0))


def check_against(ours: Any, theirs: Any, changed: list[Variable], their_variables: list[Any], convert: Any) -> None:
    """Ten steps that real Keras takes alike, to 1e-6 of each variable; then the slots, their order and their names."""
    for at in range(STEPS):
        step(ours, changed, at)
        theirs.apply([convert(gradient) for gradient in gradients(at)], their_variables)
        if at in (0, STEPS - 1):
            for variable, other in zip(changed, their_variables, strict=True):
                same(variable.numpy(), other)
    for variable, other in zip(ours.variables, theirs.variables, strict=True):
        same(variable.numpy(), other, rtol=1e-5)
        name = other.path.split("/")[-1]
        # Keras gives the product of Nadam's momenta no name
        assert variable.name == name or (variable.name, name.split("_")[0]) == ("momentum_product", "variable")


def check_round_trip(optimizer: Any) -> None:
    """An optimizer made from its config takes the same steps."""
    again = registry.deserialize_keras_object(registry.serialize_keras_object(optimizer))
    assert type(again) is type(optimizer)
    first, second = variables(), variables()
    for at in range(4):
        step(optimizer, first, at)
        step(again, second, at)
    for one, other in zip(first, second, strict=True):
        same(one, other, rtol=0)


def check_compiled(make: Any) -> None:
    """Traced and compiled steps are those taken at once; also the first, which makes the slots inside the trace."""
    eager, traced = make(), make()
    first, second = variables(), variables()
    for at in range(4):
        step(eager, first, at)
        compiled.run(lambda: step(traced, second, at))
    for one, other in zip([*first, *eager.variables], [*second, *traced.variables], strict=True):
        same(one, other, rtol=2e-6)


def check_resumed(make: Any) -> None:
    """Its variables are all it knows: another one that is given them goes on alike."""
    through, before, after = make(), make(), make()
    whole, parts = variables(), variables()
    for at in range(4):
        step(through, whole, at)
    for at in range(2):
        step(before, parts, at)
    store: dict[str, np.ndarray] = {}
    before.save_own_variables(store)
    after.build(parts)
    after.load_own_variables(store)
    for at in range(2, 4):
        step(after, parts, at)
    for one, other in zip([*whole, *through.variables], [*parts, *after.variables], strict=True):
        same(one, other, rtol=0)


def check_double(make: Any) -> None:
    """Variables of double precision, and their slots, stay so and go the same way."""
    single, double = variables(), variables("float64")
    one, other = make(), make()
    for at in range(3):
        step(one, single, at)
        step(other, double, at)
    for variable, exact in zip(single, double, strict=True):
        assert exact.dtype.name == "float64"
        same(variable, exact, rtol=1e-5)
