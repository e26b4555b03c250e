"""Batch and layer normalisation."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.keras import config, constraints, initializers, regularizers
from tensorsmith.keras.layers.base import Layer
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.creation import ones_like, zeros_like
from tensorsmith.ops.elementwise import multiply, rsqrt, square, subtract
from tensorsmith.ops.reductions import reduce_mean, reduce_sum
from tensorsmith.ops.shaping import expand_dims, reshape


class _Normalization(Layer):
    """Scale and offset, and how they are made and saved."""

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer, self.gamma_initializer = (
            initializers.get(beta_initializer),
            initializers.get(gamma_initializer),
        )
        self.beta_regularizer, self.gamma_regularizer = (
            regularizers.get(beta_regularizer),
            regularizers.get(gamma_regularizer),
        )
        self.beta_constraint, self.gamma_constraint = (
            constraints.get(beta_constraint),
            constraints.get(gamma_constraint),
        )

    def _add_scale_and_offset(self, shape: tuple[int, ...]) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=shape, initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                name="beta", shape=shape, initializer=self.beta_initializer,
                regularizer=self.beta_regularizer, constraint=self.beta_constraint,
            )  # fmt: skip

    def _scaled(self, normalized: Any, shape: tuple[int, ...]) -> Any:
        if self.gamma is not None:
            normalized = multiply(normalized, reshape(self.gamma, shape))
        return normalized if self.beta is None else normalized + reshape(self.beta, shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


class BatchNormalization(_Normalization):
    """(inputs - mean) / sqrt(variance + epsilon) * gamma + beta, per feature.

    While training, mean and variance are those of the batch, and the moving ones follow them:
    moving = momentum * moving + (1 - momentum) * batch. Else the moving ones are used.
    axis  the axis of the features.
    mask  [B, T, ...], an axis less than the inputs: steps that it leaves out count in neither while training.
    Source: Ioffe and Szegedy (2015), Batch normalization.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        for ignored in ("synchronized", "renorm", "renorm_clipping", "renorm_momentum", "fused"):
            kwargs.pop(ignored, None)
        super().__init__(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        # Keras 2 saves the axis as a list of one
        self.axis = axis[0] if isinstance(axis, (list, tuple)) else axis
        self.momentum = momentum
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[self.axis],)
        self._add_scale_and_offset(shape)
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=shape, initializer=self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=shape, initializer=self.moving_variance_initializer, trainable=False
        )

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        rank = len(inputs.shape)
        axis = self.axis % rank
        shape = tuple(inputs.shape[i] if i == axis else 1 for i in range(rank))
        if mask is not None and len(mask.shape) != rank - 1:
            raise ValueError(
                explain(
                    f"BatchNormalization {self.name!r}",
                    "the mask does not fit the inputs",
                    {"mask": tuple(mask.shape), "inputs": tuple(inputs.shape)},
                    "it has an axis less: one value for each step",
                )
            )
        if training and self.trainable:
            axes = [i for i in range(rank) if i != axis]
            mean, variance = _moments(inputs, axes, shape, mask)
            keep = self.momentum
            self.moving_mean.assign(self.moving_mean * keep + mean * (1.0 - keep))
            self.moving_variance.assign(self.moving_variance * keep + variance * (1.0 - keep))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        centred = subtract(inputs, reshape(mean, shape))
        return self._scaled(multiply(centred, rsqrt(reshape(variance, shape) + self.epsilon)), shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
        }


def _moments(inputs: Any, axes: list[int], shape: tuple[int, ...], mask: Any) -> tuple[Any, Any]:
    """Mean and variance along axes, of the steps that the mask has; `shape` is how they meet the inputs."""
    if mask is None:
        mean = reduce_mean(inputs, axes)
        return mean, reduce_mean(square(subtract(inputs, reshape(mean, shape))), axes)
    counts, nothing = cast(expand_dims(mask, -1), "bool"), zeros_like(inputs)
    # a batch of padding alone has no mean: 0 then
    number = reduce_sum(where(counts, ones_like(inputs), nothing), axes) + config.epsilon()
    mean = reduce_sum(where(counts, inputs, nothing), axes) / number
    distance = where(counts, subtract(inputs, reshape(mean, shape)), nothing)
    return mean, reduce_sum(square(distance), axes) / number


class LayerNormalization(_Normalization):
    """(inputs - mean) / sqrt(variance + epsilon) * gamma + beta, mean and variance of each sample along `axis`.

    Source: Ba, Kiros and Hinton (2016), Layer normalization.
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("rms_scaling", None)
        super().__init__(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        self.axis = axis

    def _axes(self, rank: int) -> list[int]:
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        return sorted(a % rank for a in axes)

    def build(self, input_shape: Any) -> None:
        self._add_scale_and_offset(tuple(input_shape[a] for a in self._axes(len(input_shape))))

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        axes = self._axes(rank)
        centred = subtract(inputs, reduce_mean(inputs, axes, keepdims=True))
        variance = reduce_mean(square(centred), axes, keepdims=True)
        shape = tuple(inputs.shape[i] if i in axes else 1 for i in range(rank))
        return self._scaled(multiply(centred, rsqrt(variance + self.epsilon)), shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
