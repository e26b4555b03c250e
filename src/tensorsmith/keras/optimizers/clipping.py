"""Gradients cut to a length or a range before they are used."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import clip_by_value, maximum, sqrt, square
from tensorsmith.ops.reductions import reduce_sum


def check(clipnorm: float | None, clipvalue: float | None, global_clipnorm: float | None) -> None:
    """ValueError unless at most one is given, and it is above 0."""
    given = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
    given = {name: value for name, value in given.items() if value is not None}
    if len(given) > 1:
        raise ValueError(explain("Optimizer", "only one way of clipping can be given", given))
    for name, value in given.items():
        if not value > 0:
            raise ValueError(explain("Optimizer", f"{name} must be above 0", given))


def clip(
    gradients: list[Any], clipnorm: float | None, clipvalue: float | None, global_clipnorm: float | None
) -> list[Any]:
    """The gradients, each cut to a length, to a range, or all together to a length.

    >>> from tensorsmith.tensor.convert import convert
    >>> clip([convert([3.0, 4.0])], 1.0, None, None)[0].numpy().round(4).tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    if clipnorm is not None:
        return [gradient * _factor(_squares(gradient), clipnorm) for gradient in gradients]
    if clipvalue is not None:
        return [clip_by_value(gradient, -float(clipvalue), float(clipvalue)) for gradient in gradients]
    if global_clipnorm is not None and gradients:
        total = _squares(gradients[0])
        for gradient in gradients[1:]:
            total = total + cast(_squares(gradient), total.dtype)
        factor = _factor(total, global_clipnorm)
        return [gradient * cast(factor, gradient.dtype) for gradient in gradients]
    return gradients


def _squares(gradient: Any) -> Any:
    return reduce_sum(square(gradient))


def _factor(squares: Any, longest: float) -> Any:
    # divided by what is never 0, so that a gradient of zeros stays one
    return float(longest) / maximum(sqrt(squares), float(longest))
