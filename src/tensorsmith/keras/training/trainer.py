"""fit, evaluate, predict."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.function.autograph import in_trace
from tensorsmith.keras import optimizers, registry
from tensorsmith.keras.callbacks.history import History
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.weights import changes
from tensorsmith.keras.metrics import Mean
from tensorsmith.keras.training import fitting, predicting
from tensorsmith.keras.training.batches import as_arrays, is_irregular, unpack
from tensorsmith.keras.training.compiled import CompiledLoss, CompiledMetrics, batch_rows
from tensorsmith.keras.training.steps import Step, form_of, spec_of
from tensorsmith.program import execute
from tensorsmith.state.tape import GradientTape
from tensorsmith.tensor.tensor import Tensor


class Trainer(Layer):
    """The training half of a Model. A subclass may override train_step, test_step, predict_step and compute_loss."""

    _default_steps: dict[str, Any]
    _compile_given: dict[str, Any] | None
    _compiled_loss: CompiledLoss | None
    _compiled_metrics: CompiledMetrics | None
    _loss_tracker: Any
    _programs: dict[Any, Step]
    _programs_at: int
    _fit_lock: Any
    _state_lock: Any
    output_names: list[str]
    _build_by_specs: Callable[[Any], Any]  # of Model

    def _prepare(self) -> None:
        state = self.__dict__
        state.update(
            optimizer=None, loss=None, stop_training=False, _compiled_loss=None, _compiled_metrics=None,
            _loss_tracker=None, run_eagerly=False, history=None, _compile_given=None, _programs={}, _programs_at=-1,
            _fit_lock=threading.Lock(), _state_lock=threading.RLock(), steps_per_execution=1,
        )  # fmt: skip

    def _forget_programs(self) -> None:
        self.__dict__["_programs"] = {}

    # ---- settings

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool | None = None,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Says how the model is trained.

        optimizer    an optimizer, or its name.
        loss         a loss, a function (y_true, y_pred) -> one value a sample, a name; or lists and dicts of these.
        metrics      a list of metrics, functions and names.
        run_eagerly  True: every step runs as plain Python, for `print` and `pdb`; so it is by default where a layer, or
                     the model, was made with dynamic=True.
        """
        if run_eagerly is False and self.dynamic:
            raise ValueError(
                f"The model {self.name!r} was made with dynamic=True, or holds a layer that was: it runs as plain Python. "
                "Leave run_eagerly out, or leave dynamic=True out."
            )
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss
        names = self.output_names if hasattr(self, "output_names") else []
        self.__dict__["_compiled_loss"] = CompiledLoss(loss, loss_weights, names)
        self.__dict__["_compiled_metrics"] = CompiledMetrics(metrics, weighted_metrics, names)
        self.__dict__["_loss_tracker"] = Mean(name="loss")
        self.run_eagerly = self.dynamic if run_eagerly is None else bool(run_eagerly)
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self.__dict__["_compile_given"] = {
            "optimizer": optimizer, "loss": loss, "metrics": metrics, "loss_weights": loss_weights,
            "weighted_metrics": weighted_metrics, "run_eagerly": self.run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": bool(jit_compile),
        }  # fmt: skip
        self._forget_programs()
        execute.import_in_background()

    @property
    def compiled(self) -> bool:
        return self._compile_given is not None

    def get_compile_config(self) -> dict[str, Any] | None:
        """What `compile` was given, as data."""
        if self._compile_given is None:
            return None
        config = {**self._compile_given, "optimizer": self.optimizer}
        return {key: registry.serialize_keras_object(value) for key, value in config.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as `get_compile_config` says."""
        roles = {"optimizer": "optimizer", "loss": "loss", "metrics": "metric", "weighted_metrics": "metric"}
        known = {key: _deserialized(value, roles.get(key)) for key, value in config.items()}
        self.compile(**known)
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[Any]:
        """The metrics that `fit` resets and reports: the loss, those given to `compile`, those of layers."""
        found: list[Any] = []
        if self._loss_tracker is not None:
            found.append(self._loss_tracker)
        if self._compiled_loss is not None:
            found.extend(t for t in self._compiled_loss.trackers if t is not None)
        if self._compiled_metrics is not None:
            found.extend(self._compiled_metrics.metrics)
        inside = [m for m in super().metrics if not any(m is f for f in found)]  # type: ignore[misc]
        return [*found, *inside]

    @property
    def metrics_names(self) -> list[str]:
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Every metric starts again."""
        for metric in self.metrics:
            metric.reset_state()

    def reset_states(self) -> None:
        """Keras 2: the states of all stateful layers are zeros again."""
        for layer in self.layers:  # type: ignore[attr-defined]
            if getattr(layer, "stateful", False):
                layer.reset_states()

    def _require_compiled(self, who: str) -> None:
        if not self.compiled:
            raise RuntimeError(f"You must call model.compile(optimizer, loss) before model.{who}().")

    # ---- what a step does: a subclass may override these

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss that is differentiated: that of `compile`, and the penalties of the layers."""
        total = None
        if self._compiled_loss is not None and self._compiled_loss.given is not None and y is not None:
            total = self._compiled_loss(y, y_pred, sample_weight)
        for extra in self.losses:
            total = extra if total is None else total + extra
        if total is None:
            if self._compile_given is not None and self._compile_given["loss"] is None:
                raise ValueError(
                    f"The model {self.name!r} has no loss: give one to compile(loss=...), or add_loss in a layer."
                    if y is not None
                    else f"The model {self.name!r} has no loss to minimize: fit was given no targets, and no layer adds a loss."
                )
            raise ValueError(f"The model {self.name!r} was given no targets (y) for its loss.")
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Adds a batch to the metrics of `compile`; their results by name."""
        self._update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        if self._compiled_metrics is not None and y is not None:
            self._compiled_metrics.update_state(y, y_pred, sample_weight)

    def compiled_loss(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None
    ) -> Any:
        """Keras 2: the loss of `compile`, with penalties added."""
        own = self._compiled_loss
        if own is None:
            raise RuntimeError("You must call model.compile(optimizer, loss) before model.compiled_loss().")
        total = own(y_true, y_pred, sample_weight)
        for extra in regularization_losses or []:
            total = total + extra
        self._track_loss(total, y_pred)
        return total

    @property
    def compiled_metrics(self) -> CompiledMetrics | None:
        return self._compiled_metrics

    def get_metrics_result(self) -> dict[str, Any]:
        """The results of all metrics by name; a metric that gives a dict adds its entries."""
        return self._results_of(self.metrics)

    def _results_of(self, metrics: list[Any]) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for metric in metrics:
            value = in_trace(metric.result)()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    def _track_loss(self, loss: Any, batch_like: Any) -> None:
        first = nest.flatten(batch_like)[0]
        self._loss_tracker.update_state(loss, sample_weight=batch_rows(first, loss.dtype))

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step: the loss, its gradients, the optimizer, the metrics. Gives their values by name."""
        self._train_update(data)
        return self.get_metrics_result()

    def _train_update(self, data: Any) -> None:
        x, y, sample_weight = unpack(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = in_trace(self.compute_loss)(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
            _check_scalar(loss, self)
        variables = self.trainable_variables
        if variables:
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(list(zip(gradients, variables)))
        self._track_loss(loss, y_pred)
        self._update_metrics(y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of `evaluate`. Gives the values of the metrics by name."""
        self._test_update(data)
        return self.get_metrics_result()

    def _test_update(self, data: Any) -> None:
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)
        loss = in_trace(self.compute_loss)(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False)
        _check_scalar(loss, self)
        self._track_loss(loss, y_pred)
        self._update_metrics(y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of `predict`: the model's outputs."""
        x, _, _ = unpack(data)
        return self(x, training=False)

    # ---- programs

    def _step(self, kind: str, batch: Any) -> Step:
        """The traced step for batches of this form; traced again when a layer was changed since."""
        if self._programs_at != changes[0]:
            self.__dict__["_programs"] = {}
        key = kind, form_of(batch)
        found = self._programs.get(key)
        if found is None:
            with self._state_lock:
                found = self._programs[key] = Step(self._function(kind), batch)
            self.__dict__["_programs_at"] = changes[0]
        return found

    def _program_for(self, kind: str, batch: Any) -> Step:
        """The step for a batch of inputs, weights made first."""
        if not self.built:
            self._build_for(batch)
        return self._step(kind, batch)

    def _function(self, kind: str) -> Callable[[Any], Any]:
        """What is traced: a step that the user wrote, or the built-in one without its results, which are read after."""
        own = getattr(type(self), f"{kind}_step") is not self._default_steps[kind]
        if own or kind == "predict":
            return getattr(self, f"{kind}_step")
        return self._train_update if kind == "train" else self._test_update

    def _build_for(self, batch: Any) -> None:
        """Makes weights, optimizer state and metrics before the first trace, so that tracing finds them."""
        if self.dynamic:
            return  # its call is for values alone: the first step makes the weights
        if not self.built or any(not layer.built for layer in self._flatten_layers()):
            try:
                self._build_on_symbols(unpack(batch)[0])
            except Exception:
                if not (self.run_eagerly or is_irregular(batch)):
                    raise
                return  # a call that runs as plain Python may ask for values: the first step shows whether it is right
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def _build_on_symbols(self, x: Any) -> None:
        with context.eagerly():
            if not self.built and type(self).__name__ == "Sequential" and not is_irregular(x):
                self._full_call((nest.map_structure(lambda a: Tensor(np.zeros((2, *a.shape[1:]), a.dtype)), x),), {})
            else:
                self._build_by_specs(nest.map_structure(spec_of, x))

    # ---- fit

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        **kwargs: Any,
    ) -> History:
        """Trains the model.

        x, y             arrays with one row a sample (nested for several inputs or outputs); or, as x alone,
                         an iterable of batches (x, y).
        batch_size       rows a step, 32 by default.
        verbose          1: a progress line; 2: one line an epoch; 0: nothing.
        validation_data  (x, y) or (x, y, sample_weight), looked at after each epoch.
        validation_split the share of the rows, from the end, that serves for that.

        Gives the History. Raises ValueError for data that does not fit, RuntimeError before `compile`.
        Ctrl-C, or an exception anywhere, leaves the model as the last finished step made it.
        """
        self._require_compiled("fit")
        if not self._fit_lock.acquire(blocking=False):
            raise RuntimeError(
                f"The model {self.name!r} is being trained by another call of fit: wait until that has ended."
            )
        try:
            return fitting.fit(
                self, x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
                class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps, validation_batch_size,
                validation_freq,
            )  # fmt: skip
        finally:
            self._fit_lock.release()

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on data: a list in the order of `metrics_names`, a number when there is one,
        a dict with return_dict=True."""
        self._require_compiled("evaluate")
        return fitting.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """The outputs for all rows of x, as NumPy arrays."""
        return predicting.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: dict | None = None,
        return_dict: bool = False, reset_metrics: bool = True, **_: Any,
    ) -> Any:  # fmt: skip
        """One step on one batch; the loss and metrics."""
        self._require_compiled("train_on_batch")
        return fitting.one_batch(self, "train", x, y, sample_weight, class_weight, return_dict, reset_metrics)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False, reset_metrics: bool = True
    ) -> Any:
        """The loss and metrics of one batch."""
        self._require_compiled("test_on_batch")
        return fitting.one_batch(self, "test", x, y, sample_weight, None, return_dict, reset_metrics)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        data = as_arrays(x, "predict_on_batch: x")
        return self.predict(data, batch_size=max(len(nest.flatten(data)[0]), 1), verbose=0)


def _deserialized(config: Any, role: str | None) -> Any:
    """The part of this role that a config describes; lists and dicts of them in their own form."""
    if isinstance(config, (list, tuple)):
        return [_deserialized(part, role) for part in config]
    if isinstance(config, dict) and "class_name" not in config:
        return {key: _deserialized(part, role) for key, part in config.items()}
    # a bare name is left to `compile`, unless it is one of the user's own, which only this moment's scope may know
    return registry.deserialize_keras_object(config, kind=role if isinstance(config, dict) else None)


def _check_scalar(loss: Any, model: Any) -> None:
    if getattr(loss, "shape", ()) != ():
        given = model._compile_given["loss"] if model._compile_given else None
        name = getattr(given, "name", None) or getattr(given, "__name__", None) or str(given)
        raise ValueError(
            f"The loss of model {model.name!r} ({name}) must be one number for a batch; it has shape {tuple(loss.shape)}."
        )


Trainer._default_steps = {"train": Trainer.train_step, "test": Trainer.test_step, "predict": Trainer.predict_step}
