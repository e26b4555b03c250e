"""Callback and the list that calls them."""

from __future__ import annotations

from typing import Any

_PER_BATCH = (
    "on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end",
    "on_test_batch_begin", "on_test_batch_end", "on_predict_batch_begin", "on_predict_batch_end",
)  # fmt: skip


class Callback:
    """What `fit`, `evaluate` and `predict` call at their turns. A subclass writes the methods that it needs.

    `self.model` is the model, `self.params` a dict with `epochs`, `steps`, `verbose`. `logs` holds the
    losses and metrics so far. A callback that writes a per-batch method is called after every single
    step, with the values of that step; without one, `fit` runs many steps at once.
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = None
        self.validation_data = None

    params: dict[str, Any] = {}
    _model: Any = None

    @property
    def model(self) -> Any:
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    def on_train_begin(self, logs: Any = None) -> None: ...
    def on_train_end(self, logs: Any = None) -> None: ...
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None: ...
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None: ...
    def on_batch_begin(self, batch: int, logs: Any = None) -> None: ...
    def on_batch_end(self, batch: int, logs: Any = None) -> None: ...
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None: ...
    def on_test_end(self, logs: Any = None) -> None: ...
    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None: ...
    def on_test_batch_end(self, batch: int, logs: Any = None) -> None: ...
    def on_predict_begin(self, logs: Any = None) -> None: ...
    def on_predict_end(self, logs: Any = None) -> None: ...
    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None: ...
    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None: ...


class CallbackList:
    """Calls each callback in turn; a failing one is named in a note on its exception."""

    def __init__(self, callbacks: Any, model: Any, params: dict[str, Any]) -> None:
        self.callbacks: list[Any] = list(callbacks)
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)

    def wants_batches(self, kind: str) -> bool:
        """True when some callback has a per-batch method for "train", "test" or "predict"."""
        names = [n for n in _PER_BATCH if f"_{kind}_" in n or (kind == "train" and n.startswith("on_batch"))]
        return any(getattr(type(c), n, None) is not getattr(Callback, n) for c in self.callbacks for n in names)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("on_"):
            raise AttributeError(name)

        def call(*args: Any) -> None:
            for callback in self.callbacks:
                try:
                    getattr(callback, name)(*args)
                except Exception as error:
                    error.add_note(f"in {type(callback).__name__}.{name}, a callback of model {self.model.name!r}")
                    raise

        return call
