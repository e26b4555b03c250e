"""First values of weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.core.dtypes import DType, as_dtype
from tensorsmith.core.errors import explain
from tensorsmith.keras import config, registry
from tensorsmith.ops.casting import cast
from tensorsmith.ops.creation import constant, eye, ones, zeros
from tensorsmith.state import random_generator as random
from tensorsmith.state import random_stateless
from tensorsmith.tensor.tensor import Tensor


class Initializer:
    """Gives the first value of a weight. Subclasses write `__call__(shape, dtype=None, **settings)` and `get_config`.

    A plain function of (shape, dtype) serves as well; a class keeps its settings in saved models.

    >>> from tensorsmith.ops.creation import fill
    >>> class Fill(Initializer):
    ...     def __init__(self, to):
    ...         self.to = to
    ...     def __call__(self, shape, dtype=None, **settings):
    ...         return fill(shape, self.to)
    ...     def get_config(self):
    ...         return {"to": self.to}
    >>> Fill(3.0)((2,)).numpy()
    array([3., 3.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must write __call__(self, shape, dtype=None).")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer that `get_config` described."""
        return cls(**config)

    def clone(self) -> Initializer:
        """An equal initializer."""
        return type(self).from_config(self.get_config())


def _dtype(dtype: Any) -> DType:
    return as_dtype(dtype or config.floatx())


def _sizes(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if isinstance(shape, int) else tuple(int(size) for size in shape)


class Zeros(Initializer):
    """Zeros.

    >>> Zeros()((2,)).numpy()
    array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Tensor:
        return zeros(_sizes(shape), _dtype(dtype))


class Ones(Initializer):
    """Ones.

    >>> Ones()((2,)).numpy()
    array([1., 1.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Tensor:
        return ones(_sizes(shape), _dtype(dtype))


class Constant(Initializer):
    """One value everywhere, or a given array.

    >>> Constant(2.5)((2,)).numpy()
    array([2.5, 2.5], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Tensor:
        array = np.broadcast_to(np.asarray(self.value), _sizes(shape))
        return constant(array.astype(_dtype(dtype).numpy_dtype))

    def get_config(self) -> dict[str, Any]:
        return {"value": registry.serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        return cls(registry.deserialize_keras_object(config.get("value", 0.0)))


class Identity(Initializer):
    """The identity matrix times `gain`; only for weights of two axes.

    >>> Identity()((2, 2)).numpy()
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Tensor:
        sizes = _sizes(shape)
        if len(sizes) != 2:
            raise ValueError(explain("Identity", "the weight must be a matrix", {"shape": sizes}))
        return eye(*sizes, dtype=_dtype(dtype)) * self.gain

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


class RandomInitializer(Initializer):
    """The base of those that draw: with a seed an instance gives the same values at each call, without one new ones."""

    def __init__(self, seed: Any = None) -> None:
        if seed is not None and (isinstance(seed, bool) or not hasattr(seed, "__index__")):
            raise ValueError(explain(type(self).__name__, "seed must be a whole number or None", {"seed": repr(seed)}))
        self.seed = None if seed is None else int(seed)

    def normal(self, shape: Any, stddev: float, dtype: DType, mean: float = 0.0) -> Tensor:
        if self.seed is None:
            return random.normal(shape, mean, stddev, dtype)
        return random_stateless.stateless_normal(shape, [self.seed, 0], mean, stddev, dtype)

    def truncated_normal(self, shape: Any, stddev: float, dtype: DType, mean: float = 0.0) -> Tensor:
        if self.seed is None:
            return random.truncated_normal(shape, mean, stddev, dtype)
        return random_stateless.stateless_truncated_normal(shape, [self.seed, 0], mean, stddev, dtype)

    def uniform(self, shape: Any, low: float, high: float, dtype: DType) -> Tensor:
        if self.seed is None:
            return random.uniform(shape, low, high, dtype)
        return random_stateless.stateless_uniform(shape, [self.seed, 0], low, high, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class RandomNormal(RandomInitializer):
    """Draws from the normal distribution.

    >>> bool(abs(RandomNormal(stddev=2.0, seed=1)((100, 100)).numpy().std() - 2.0) < 0.05)
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Tensor:
        return self.normal(_sizes(shape), self.stddev, _dtype(dtype), self.mean)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class TruncatedNormal(RandomInitializer):
    """Draws from the normal distribution, none further than two `stddev` from `mean`.

    >>> bool(abs(TruncatedNormal(stddev=1.0, seed=1)((1000,)).numpy()).max() <= 2.0)
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Tensor:
        return self.truncated_normal(_sizes(shape), self.stddev, _dtype(dtype), self.mean)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class RandomUniform(RandomInitializer):
    """Draws evenly from [minval, maxval).

    >>> values = RandomUniform(0.0, 2.0, seed=1)((1000,)).numpy()
    >>> bool(values.min() >= 0.0 and values.max() < 2.0)
    True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Tensor:
        return self.uniform(_sizes(shape), self.minval, self.maxval, _dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform", "normal")


class VarianceScaling(RandomInitializer):
    """Draws whose variance is scale / n, with n the inputs of a unit, its outputs, or their mean.

    mode          "fan_in", "fan_out" or "fan_avg": what n is. A weight [..., i, o] has i inputs and o outputs, each
                  times the sizes before them (the field of a convolution).
    distribution  "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".

    Raises ValueError for other words, and for a scale that is not above 0.

    >>> w = VarianceScaling(2.0, "fan_in", "uniform", seed=1)((50, 200)).numpy()
    >>> bool(abs(w.var() - 2.0 / 50) < 0.002)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        super().__init__(seed)
        if not scale > 0:
            raise ValueError(explain("VarianceScaling", "scale must be above 0", {"scale": scale}))
        for word, value, known in (("mode", mode, MODES), ("distribution", distribution, DISTRIBUTIONS)):
            if str(value).lower() not in known:
                raise ValueError(
                    explain("VarianceScaling", f"{value!r} is no {word}", rule=f"it is one of {', '.join(known)}")
                )
        self.scale, self.mode = scale, mode.lower()
        self.distribution = "truncated_normal" if distribution.lower() == "normal" else distribution.lower()
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Tensor:
        sizes, dtype = _sizes(shape), _dtype(dtype)
        inputs, outputs = self._fans(sizes)
        count = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[self.mode]
        variance = self.scale / max(1.0, count)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return self.uniform(sizes, -limit, limit, dtype)
        if self.distribution == "untruncated_normal":
            return self.normal(sizes, math.sqrt(variance), dtype)
        # the standard deviation of a standard normal distribution that is cut at two
        return self.truncated_normal(sizes, math.sqrt(variance) / 0.87962566103423978, dtype)

    def _fans(self, sizes: tuple[int, ...]) -> tuple[float, float]:
        if self.input_axes is not None or self.output_axes is not None:
            return _product(sizes, self.input_axes), _product(sizes, self.output_axes)
        if len(sizes) < 2:
            return (float(sizes[0]),) * 2 if sizes else (1.0, 1.0)  # type: ignore[return-value]
        field = math.prod(sizes[:-2])
        return float(sizes[-2] * field), float(sizes[-1] * field)

    def get_config(self) -> dict[str, Any]:
        config = {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}
        if self.input_axes is not None or self.output_axes is not None:
            config.update(input_axes=self.input_axes, output_axes=self.output_axes)
        return config


def _product(sizes: tuple[int, ...], axes: Any) -> float:
    axes = range(len(sizes)) if axes is None else (axes,) if isinstance(axes, int) else axes
    return float(math.prod(sizes[axis] for axis in axes))


class GlorotUniform(VarianceScaling):
    """Evenly from [-a, a] with a = sqrt(6 / (inputs + outputs)).

    Source: Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward networks.

    >>> bool(abs(GlorotUniform(seed=1)((60, 140)).numpy().var() - 2 / 200) < 0.001)
    True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "scale", "mode", "distribution")


class GlorotNormal(VarianceScaling):
    """From a cut normal distribution of variance 2 / (inputs + outputs).

    Source: Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward networks.

    >>> bool(abs(GlorotNormal(seed=1)((60, 140)).numpy().var() - 2 / 200) < 0.001)
    True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "scale", "mode", "distribution")


class HeUniform(VarianceScaling):
    """Evenly from [-a, a] with a = sqrt(6 / inputs): for relu and its kin.

    Source: He et al. (2015), Delving deep into rectifiers.

    >>> bool(abs(HeUniform(seed=1)((60, 140)).numpy().var() - 2 / 60) < 0.001)
    True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "scale", "mode", "distribution")


class HeNormal(VarianceScaling):
    """From a cut normal distribution of variance 2 / inputs: for relu and its kin.

    Source: He et al. (2015), Delving deep into rectifiers.

    >>> bool(abs(HeNormal(seed=1)((60, 140)).numpy().var() - 2 / 60) < 0.001)
    True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "scale", "mode", "distribution")


class LecunUniform(VarianceScaling):
    """Evenly from [-a, a] with a = sqrt(3 / inputs).

    Source: LeCun et al. (1998), Efficient backprop.

    >>> bool(abs(LecunUniform(seed=1)((60, 140)).numpy().var() - 1 / 60) < 0.001)
    True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "scale", "mode", "distribution")


class LecunNormal(VarianceScaling):
    """From a cut normal distribution of variance 1 / inputs: for selu.

    Source: LeCun et al. (1998), Efficient backprop.

    >>> bool(abs(LecunNormal(seed=1)((60, 140)).numpy().var() - 1 / 60) < 0.001)
    True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "scale", "mode", "distribution")


def _without(config: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in names}


class Orthogonal(RandomInitializer):
    """A matrix with orthonormal rows or columns, whichever are fewer, times `gain`.

    A weight of more axes is such a matrix with the axes before the last taken together.

    Source: Saxe et al. (2013), Exact solutions to the nonlinear dynamics of learning.

    >>> q = Orthogonal(seed=1)((3, 3)).numpy()
    >>> bool(abs(q.T @ q - np.eye(3)).max() < 1e-5)
    True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None, **settings: Any) -> Tensor:
        sizes, dtype = _sizes(shape), _dtype(dtype)
        if len(sizes) < 2:
            raise ValueError(explain("Orthogonal", "the weight must have at least two axes", {"shape": sizes}))
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        drawn = self.normal((max(rows, columns), min(rows, columns)), 1.0, as_dtype("float32")).numpy()
        q, r = np.linalg.qr(drawn)
        # with the signs of r's diagonal every orthogonal matrix is equally likely
        q = q * np.sign(np.diag(r))
        q = q.T if rows < columns else q
        return cast(constant((q.reshape(sizes) * self.gain).astype("float32")), dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed}


zeros_initializer, ones_initializer = Zeros, Ones

for _class, _aliases in (
    (Initializer, ()), (Zeros, ("zeros", "zero")), (Ones, ("ones", "one")), (Constant, ("constant",)),
    (Identity, ("identity", "IdentityInitializer")), (RandomNormal, ("random_normal", "normal")),
    (TruncatedNormal, ("truncated_normal",)), (RandomUniform, ("random_uniform", "uniform")),
    (VarianceScaling, ("variance_scaling",)), (GlorotUniform, ("glorot_uniform",)), (GlorotNormal, ("glorot_normal",)),
    (HeUniform, ("he_uniform",)), (HeNormal, ("he_normal",)), (LecunUniform, ("lecun_uniform",)),
    (LecunNormal, ("lecun_normal",)), (Orthogonal, ("orthogonal", "OrthogonalInitializer")),
):  # fmt: skip
    registry.register("initializer", _class, *_aliases)


def get(identifier: Any) -> Any:
    """The initializer that a name, config, number, class, function or instance stands for; None stays None.

    >>> type(get("he_normal")).__name__, get("zeros")((1,)).numpy().item()
    ('HeNormal', 0.0)
    """
    if isinstance(identifier, (int, float, np.ndarray, Tensor)) and not isinstance(identifier, bool):
        return Constant(identifier)
    return registry.get("initializer", identifier)


def serialize(initializer: Any) -> Any:
    """The config of an initializer."""
    return registry.serialize("initializer", initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer that `serialize` described."""
    return registry.deserialize("initializer", config, custom_objects)
