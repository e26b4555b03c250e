"""The course of `fit` and `evaluate`: epochs, validation, callbacks, logs."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import explain, warn
from tensorsmith.core.specs import describe
from tensorsmith.keras.callbacks.base import CallbackList
from tensorsmith.keras.callbacks.history import History, Progress
from tensorsmith.keras.training import batches, runs
from tensorsmith.keras.training.batches import ArrayData
from tensorsmith.keras.training.runs import IterableRun, Run
from tensorsmith.state import random_generator


def fit(
    model: Any, x: Any, y: Any, batch_size: Any, epochs: int, verbose: Any, callbacks: Any, validation_split: float,
    validation_data: Any, shuffle: bool, class_weight: Any, sample_weight: Any, initial_epoch: int,
    steps_per_epoch: int | None, validation_steps: int | None, validation_batch_size: int | None, validation_freq: Any,
) -> History:  # fmt: skip
    """What `Model.fit` does once it is sure that no other call trains the model."""
    verbose = 1 if verbose == "auto" else int(verbose)
    epochs = whole_number("epochs", epochs, 0)
    if not 0.0 <= validation_split < 1.0:
        raise ValueError(
            f"fit: validation_split must be a share from 0 up to 1 (not 1 itself); given {validation_split!r}."
        )
    if batches.is_iterable_data(x):
        if y is not None or validation_split:
            raise ValueError(
                "fit: with an iterable of batches as x, y and validation_split have no meaning: leave them out."
            )
        run: Run = IterableRun(model, "train", x, steps_per_epoch)
        first = run.peek()
        if first is None:
            raise ValueError("fit: the iterable given as x holds no batches.")
        model._build_for(first)
    else:
        size = batch_rows(batch_size)
        data = ArrayData(x, y, _weights(y, sample_weight, class_weight))
        if validation_split:
            data, kept = _split(data, validation_split)
            validation_data = kept if validation_data is None else validation_data
        if data.rows == 0:
            raise ValueError("fit: x holds no rows.")
        _warn(data.warn_not_finite("fit"))
        model._build_for(data.structure)
        run = runs.over(model, "train", data, size, bool(shuffle), steps_per_epoch)
    validation = validation_run(model, validation_data, validation_batch_size or batch_size, validation_steps)
    run.warm_up()
    if validation is not None:
        validation.warm_up()
    history = History()
    given = callbacks.callbacks if isinstance(callbacks, CallbackList) else nest.flatten(callbacks) if callbacks else []
    params = {"verbose": verbose, "epochs": epochs, "steps": run.steps}
    called = CallbackList([*given, history], model, params)
    model.__dict__["history"] = history
    model.stop_training = False
    rng = random_generator.numpy_generator()
    called.on_train_begin({})
    logs: dict[str, float] = {}
    for epoch in range(initial_epoch, epochs):
        if verbose:
            print(f"Epoch {epoch + 1}/{epochs}")
        called.on_epoch_begin(epoch, {})
        run.begin(rng)
        progress = Progress(run.steps, verbose)
        logs = _pass(model, "train", run, called, progress, epoch)
        done = run.done
        if not done:
            _warn(
                f"fit: the data ran out before epoch {epoch + 1}. An iterator gives its batches once: pass "
                "steps_per_epoch, or a dataset that starts again."
            )
            break
        if validation is not None and _is_validated(validation_freq, epoch):
            results = evaluate_run(model, validation, called)
            logs = {**logs, **{f"val_{name}": value for name, value in results.items()}}
        progress.update(done, logs, final=True)
        called.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    if model.optimizer is not None and model.optimizer.use_ema:
        # from here on the weights are their moving averages, which is what they were kept for
        model.optimizer.finalize_variable_values(model.trainable_variables)
    called.on_train_end(logs)
    return history


def _pass(
    model: Any, kind: str, run: Run, called: CallbackList, progress: Progress | None, epoch: int | None
) -> dict[str, float]:
    """Takes all steps of one pass; the logs at its end. `run.done` says how many there were."""
    one_by_one = run.single or called.wants_batches(kind)
    begin = getattr(called, f"on_{kind}_batch_begin")
    end = getattr(called, f"on_{kind}_batch_end")
    logs: dict[str, float] = {}
    at = 0
    while run.steps is None or at < run.steps:
        count = 1 if one_by_one else run.pace.steps()
        last = at + count if run.steps is None else min(at + count, run.steps)
        if one_by_one:
            begin(at, {})
        began = time.perf_counter()
        try:
            results = run.advance(at, last)
        except Exception as error:
            error.add_note(
                f"in {kind} step {at + 1} to {last} of model {model.name!r}"
                if last > at + 1
                else f"in {kind} step {last} of model {model.name!r}"
            )
            raise
        if run.ended:
            break
        logs = results
        if not one_by_one:
            run.pace.learn(last - at, time.perf_counter() - began)
        if one_by_one:
            end(at, logs)
        if not run.warned and not math.isfinite(_first_number(logs)):
            run.warned = True
            place = f"batch {last}" if last == at + 1 else f"the batches {at + 1} to {last}"
            where = f"in epoch {epoch + 1}, " if epoch is not None else ""
            _warn(
                f"The loss of model {model.name!r} became NaN or infinite {where}at {place}. Check the data for NaN, "
                "make the learning rate smaller, or clip the gradients (clipnorm=1.0 in the optimizer)."
            )
        at = last
        if progress is not None:
            progress.update(at, logs)
        if kind == "train" and model.stop_training:
            break
    run.done = at
    return logs


def _first_number(logs: dict[str, Any]) -> float:
    value = logs.get("loss", 0.0)
    return float(value) if np.ndim(value) == 0 else 0.0


def validation_run(model: Any, data: Any, batch_size: Any, steps: int | None) -> Run | None:
    """The pass over validation data; None when there is none."""
    if data is None:
        return None
    if isinstance(data, ArrayData):
        arrays = data
    elif isinstance(data, (tuple, list)):
        arrays = ArrayData(*data, who="validation_data")
    elif batches.is_iterable_data(data):
        return IterableRun(model, "test", data, steps)
    else:
        raise ValueError(f"fit: validation_data must be (x, y) or (x, y, sample_weight); given {type(data).__name__}.")
    return runs.over(model, "test", arrays, batch_rows(batch_size), False, steps)


def evaluate_run(model: Any, run: Run, called: CallbackList, progress: Progress | None = None) -> dict[str, float]:
    """One pass of evaluation, from fresh metrics; their results."""
    with model._state_lock:
        called.on_test_begin({})
        run.begin(None)
        logs = _pass(model, "test", run, called, progress, None)
        called.on_test_end(logs)
        if progress is not None:
            progress.update(run.done, logs, final=True)
    return logs


def evaluate(
    model: Any, x: Any, y: Any, batch_size: Any, verbose: Any, sample_weight: Any, steps: int | None, callbacks: Any,
    return_dict: bool,
) -> Any:  # fmt: skip
    """What `Model.evaluate` does."""
    if batches.is_iterable_data(x):
        run: Run = IterableRun(model, "test", x, steps)
        model._build_for(run.peek())
    else:
        data = ArrayData(x, y, sample_weight, who="evaluate")
        if data.rows == 0:
            raise ValueError("evaluate: x holds no rows.")
        model._build_for(data.structure)
        run = runs.over(model, "test", data, batch_rows(batch_size), False, steps)
    called = CallbackList(nest.flatten(callbacks) if callbacks else [], model, {"steps": run.steps})
    logs = evaluate_run(model, run, called, Progress(run.steps, 1 if verbose == "auto" else int(verbose)))
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def one_batch(
    model: Any, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool, reset: bool
) -> Any:
    """What `train_on_batch` and `test_on_batch` do."""
    data = ArrayData(x, y, _weights(y, sample_weight, class_weight), who=f"{kind}_on_batch")
    model._build_for(data.structure)
    if reset:
        model.reset_metrics()
    logs = runs.one_step(model, kind, data.structure)
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def batch_rows(batch_size: Any) -> int:
    """The batch size as a number: 32 unless it is given."""
    return 32 if batch_size is None else whole_number("batch_size", batch_size, 1)


def whole_number(name: str, value: Any, least: int) -> int:
    """`value` as an int; ValueError unless it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; given {value!r}.")
    return int(value)


def _split(data: ArrayData, share: float) -> tuple[ArrayData, ArrayData]:
    at = int(data.rows * (1.0 - share))
    if at == 0 or at == data.rows:
        raise ValueError(f"fit: validation_split={share} of {data.rows} rows leaves one part empty.")
    return data.take(slice(0, at)), data.take(slice(at, None))


def _weights(y: Any, sample_weight: Any, class_weight: Any) -> Any:
    if class_weight is None:
        return sample_weight
    y = batches.as_arrays(y, "y")
    if batches.is_irregular(y):
        raise ValueError(
            explain("class_weight", "y is ragged or sparse", {"y": describe(y)}, "a row needs one class",
                    "Pass sample_weight, one weight a row.")
        )  # fmt: skip
    labels = np.asarray(y)
    labels = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.reshape(-1)
    weights = np.array([class_weight.get(int(label), 1.0) for label in labels], np.float32)
    return weights if sample_weight is None else weights * np.asarray(sample_weight, np.float32).reshape(-1)


def _is_validated(frequency: Any, epoch: int) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def _warn(text: str | None) -> None:
    if text:
        warn(text)
