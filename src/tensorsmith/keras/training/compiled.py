"""Losses and metrics matched to outputs."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import nest
from tensorsmith.function.autograph import in_trace
from tensorsmith.function.composites import is_composite, spec_of
from tensorsmith.keras import losses, metrics
from tensorsmith.keras.losses.ragged import flat_of
from tensorsmith.ops.casting import cast
from tensorsmith.ops.shaping import expand_dims, shape
from tensorsmith.structures.ragged import is_ragged


def match_rank(target: Any, prediction: Any) -> Any:
    """A target of shape (n,) beside a prediction of shape (n, 1) becomes (n, 1)."""
    if target is None or not hasattr(prediction, "shape") or is_ragged(prediction):
        return target
    t, p = target.shape, prediction.shape
    if len(p) == len(t) + 1 and p[-1] == 1:
        return expand_dims(target, -1)
    return target


def batch_rows(value: Any, dtype: Any) -> Any:
    """How many rows a batch of predictions has, a scalar."""
    spec = spec_of(value, []) if is_composite(value) else None
    return cast(shape(value)[0] if spec is None else spec._count(value), dtype)


class CompiledLoss:
    """The total of the losses of all outputs.

    loss     a loss, or a list or dict of them in the form of the outputs.
    weights  a factor for each, in the same form; None for ones.
    names    the names of the outputs.
    """

    def __init__(self, loss: Any, weights: Any, names: list[str]) -> None:
        self.given, self.weights, self.names = loss, weights, names
        self._built: list[tuple[Any, float]] | None = None
        self.trackers: list[Any] = []

    def _build(self, y_pred: Any) -> list[tuple[Any, float]]:
        outputs = nest.flatten(y_pred)
        count = len(outputs)
        keys = sorted(y_pred) if isinstance(y_pred, dict) else self.names
        chosen = _per_output(self.given, count, keys, "loss")
        factors = _per_output(self.weights, count, keys, "loss_weights")
        self._built = [
            (losses.get(each), 1.0 if factor is None else float(factor)) for each, factor in zip(chosen, factors)
        ]
        self._built = [(as_loss(each), factor) for each, factor in self._built]
        if count > 1:
            names = keys if len(keys) == count else [f"output_{i}" for i in range(count)]
            self.trackers = [
                metrics.Mean(name=f"{name}_loss") if each is not None else None
                for name, (each, _) in zip(names, self._built)
            ]
        return self._built

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum of the losses; None where the model has no loss."""
        built = self._built if self._built is not None else self._build(y_pred)
        predictions = nest.flatten(y_pred)
        targets = nest.flatten(y_true) if len(predictions) > 1 or nest.is_nested(y_true) else [y_true]
        if len(targets) != len(predictions):
            raise ValueError(
                f"The model has {len(predictions)} outputs, but {len(targets)} targets were given: y must hold one for each."
            )
        weights = nest.flatten(sample_weight) if nest.is_nested(sample_weight) else [sample_weight] * len(targets)
        total = None
        for at, ((loss, factor), target, prediction, weight) in enumerate(zip(built, targets, predictions, weights)):
            if loss is None:
                continue
            value = loss(match_rank(target, prediction), prediction, sample_weight=weight)
            if self.trackers and self.trackers[at] is not None:
                self.trackers[at].update_state(value, sample_weight=batch_rows(prediction, value.dtype))
            value = value if factor == 1.0 else value * factor
            total = value if total is None else total + value
        return total


def as_loss(loss: Any) -> Any:
    """A Loss object of a function; losses and None stay."""
    if loss is None or isinstance(loss, losses.Loss):
        return loss
    return losses.LossFunctionWrapper(loss, name=getattr(loss, "__name__", type(loss).__name__))


class CompiledMetrics:
    """The metrics of all outputs."""

    def __init__(self, given: Any, weighted: Any, names: list[str]) -> None:
        self.given, self.weighted, self.names = given, weighted, names
        self._built: list[tuple[int, Any, bool]] | None = None

    @property
    def built(self) -> bool:
        return self._built is not None

    @property
    def metrics(self) -> list[Any]:
        """The metric objects, in order; before the first batch those that were given as objects."""
        if self._built is None:
            return [m for m in nest.flatten([self.given, self.weighted]) if isinstance(m, metrics.Metric)]
        return [metric for _, metric, _ in self._built]

    def build(self, y_true: Any, y_pred: Any) -> None:
        outputs, targets = nest.flatten(y_pred), nest.flatten(y_true)
        keys = sorted(y_pred) if isinstance(y_pred, dict) else self.names
        if len(keys) != len(outputs):
            keys = [f"output_{i}" for i in range(len(outputs))]
        built = []
        for given, is_weighted in ((self.given, False), (self.weighted, True)):
            for at, chosen in enumerate(_metrics_per_output(given, len(outputs), keys)):
                for each in chosen:
                    if each is None:
                        continue
                    metric = as_metric(each, targets[at] if at < len(targets) else None, outputs[at])
                    if len(outputs) > 1 and not metric.name.startswith(f"{keys[at]}_"):
                        metric.name = f"{keys[at]}_{metric.name}"
                    built.append((at, metric, is_weighted))
        taken: set[str] = set()
        for _, metric, _ in built:
            base, number = metric.name, 0
            while metric.name in taken:
                number += 1
                metric.name = f"{base}_{number}"
            taken.add(metric.name)
        self._built = built

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch to every metric."""
        if self._built is None:
            self.build(y_true, y_pred)
        predictions = nest.flatten(y_pred)
        targets = nest.flatten(y_true) if nest.is_nested(y_true) else [y_true]
        weights = nest.flatten(sample_weight) if nest.is_nested(sample_weight) else [sample_weight] * len(predictions)
        for at, metric, is_weighted in self._built or []:
            target = match_rank(targets[at], predictions[at])
            if is_weighted and weights[at] is not None:
                in_trace(metric.update_state)(target, predictions[at], sample_weight=weights[at])
            else:
                in_trace(metric.update_state)(target, predictions[at])


def as_metric(given: Any, y_true: Any, y_pred: Any) -> Any:
    """A Metric of a name, a function or a metric; "accuracy" is chosen by the shapes of target and prediction."""
    if isinstance(given, metrics.Metric):
        return given
    name = given if isinstance(given, str) else None
    if name is not None and name.lower() in ("accuracy", "acc", "crossentropy", "ce"):
        if is_ragged(y_pred) and is_ragged(y_true):
            y_true, y_pred = flat_of(y_true), flat_of(y_pred)
        last = y_pred.shape[-1] if len(y_pred.shape) else 1
        sparse = len(y_true.shape) < len(y_pred.shape) or (y_true.shape[-1] == 1 and last != 1)
        kind = "Binary" if last == 1 else "SparseCategorical" if sparse else "Categorical"
        suffix = "Accuracy" if name.lower() in ("accuracy", "acc") else "Crossentropy"
        found = getattr(metrics, kind + suffix)
        return found(name=name)
    found = metrics.get(given)
    if isinstance(found, metrics.Metric):
        if name is not None:
            found.name = name
        return found
    return metrics.MeanMetricWrapper(found, name=name or getattr(found, "__name__", type(found).__name__))


def _per_output(given: Any, count: int, names: list[str], what: str) -> list[Any]:
    if isinstance(given, dict):
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ValueError(f"{what} names outputs that the model does not have: {unknown}; it has {names}.")
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != count:
            raise ValueError(f"{what} holds {len(given)} entries for {count} outputs.")
        return list(given)
    return [given] * count


def _metrics_per_output(given: Any, count: int, names: list[str]) -> list[list[Any]]:
    if given is None:
        return [[] for _ in range(count)]
    if isinstance(given, dict):
        return [_as_list(given.get(name)) for name in names]
    given = _as_list(given)
    if count > 1 and len(given) == count and any(isinstance(each, (list, tuple)) or each is None for each in given):
        return [_as_list(each) for each in given]
    flat = [each for part in given for each in _as_list(part)]
    return [list(flat) if at == 0 or count == 1 else _fresh(flat) for at in range(count)]


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _fresh(given: list[Any]) -> list[Any]:
    """The same metrics for a further output: objects are made anew, as each holds the state of one."""
    return [type(m).from_config(m.get_config()) if isinstance(m, metrics.Metric) else m for m in given]
