"""A model out of a file that was read: made, compared, filled, compiled, in this order."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import ModelFileError
from tensorsmith.exchange import safety
from tensorsmith.exchange.safety import quoted, refusal
from tensorsmith.keras import missing, registry
from tensorsmith.keras.saving import archive, hdf5, layer_weights, optimizer_state, tree, weights
from tensorsmith.keras.saving.normalising import Normaliser
from tensorsmith.keras.variable import allowance

# what layers may make beside the weights that a file holds: seeds, counters, states of metrics
_SPARE_ELEMENTS = 2**20
# metrics that stand for another one, found when the shapes are known
_CHOSEN_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")


class Loaded:
    """A file read whole, its configs in the common form."""

    def __init__(self, path: str, config: dict[str, Any], training: dict[str, Any] | None, build: Any) -> None:
        self.path, self.config, self.training, self.build = path, config, training, build
        self.legacy: hdf5.Contents | None = None
        self.by_path: tree.Group | None = None
        self.generation = 3
        self.optimizer: list[np.ndarray] | None = None
        self.optimizer_names: list[str] | None = None
        self.elements = 0
        safety.check_config_shapes(config, path)

    @classmethod
    def of_h5(cls, path: str, stored: hdf5.Contents, custom: dict[str, Any]) -> Loaded:
        if stored.config is None:
            raise refusal(
                path, "it holds weights only, no model",
                way_out="Make the model in code, and call model.load_weights(path).",
            )  # fmt: skip
        normal = Normaliser(stored.generation, path, custom)
        training = None if stored.training is None else normal.compile(stored.training)
        self = cls(path, normal.model(stored.config), training, stored.build)
        self.legacy, self.generation = stored, stored.generation
        self.elements = sum(value.size for _, named in [("", stored.top), *stored.layers] for _, value in named)
        if stored.optimizer is not None:
            self.optimizer = [value for _, value in stored.optimizer]
            self.optimizer_names = [name for name, _ in stored.optimizer]
        return self

    @classmethod
    def of_archive(cls, path: str, stored: archive.Contents, custom: dict[str, Any]) -> Loaded:
        normal = Normaliser(stored.generation, path, custom)
        config = dict(stored.config)
        training, build = config.pop("compile_config", None), config.pop("build_config", None)
        self = cls(path, normal.model(config), normal.compile(training) if training else None, build)
        self.by_path, self.generation = stored.weights, stored.generation
        self.elements = sum(value.size for _, value in stored.weights.arrays())
        self.optimizer = weights.optimizer_arrays(stored.weights, path)
        return self

    def model(self, custom: dict[str, Any], compile: bool, safe_mode: bool) -> Any:
        training = self.training if compile else None
        with registry.CustomObjectScope(custom):
            model = self._made(training, safe_mode)
            if self.by_path is not None:
                plan = weights.plan(model, self.by_path, self.path)
            else:
                assert self.legacy is not None
                plan = layer_weights.plan(model, self.legacy, self.path)
            if training is not None:
                self._compiled(model, training)
                if self.optimizer is not None and model.optimizer is not None:
                    if not model.optimizer.built:
                        model.optimizer.build(model.trainable_variables)
                    plan.pairs += optimizer_state.plan(
                        model.optimizer, self.optimizer, self.optimizer_names, self.generation, self.path
                    ).pairs
            plan.carry_out(self.path)
        return model

    def _made(self, training: dict[str, Any] | None, safe_mode: bool) -> Any:
        """The model as its config says, its weights made and not yet set. One error lists every unknown name."""
        model = None
        try:
            with missing.collecting(self.path) as unknown:
                try:
                    allowance.elements = self.elements + _SPARE_ELEMENTS
                    model = registry.deserialize_keras_object(self.config, safe_mode=safe_mode, kind="model")
                    if not model.built and self.build:
                        model.build_from_config(self.build)
                except Exception:
                    if not unknown:
                        raise
                finally:
                    allowance.elements = None
                with missing.place("compile"):
                    for role, part in _parts(training):
                        if not isinstance(part, str):
                            registry.deserialize_keras_object(part, safe_mode=safe_mode, kind=None)
                        elif part not in _CHOSEN_BY_SHAPE and not any(registry.find(r, part) for r in (role, "loss")):
                            missing.report(role, part)
        except ModelFileError:
            raise
        except Exception as error:
            raise refusal(
                self.path, f"its config does not make a model ({type(error).__name__}: {quoted(str(error), 800)})"
            ) from error
        from tensorsmith.keras.models import Model

        if not isinstance(model, Model):
            raise refusal(self.path, f"its config describes no model but {quoted(type(model).__name__)}")
        return model

    def _compiled(self, model: Any, training: dict[str, Any]) -> None:
        try:
            model.compile_from_config(training)
        except Exception as error:
            raise refusal(
                self.path,
                "what it was compiled with cannot be restored "
                f"({type(error).__name__}: {quoted(str(error), 800)})",
                way_out="load_model(..., compile=False) leaves that out.",
            ) from error  # fmt: skip


def _parts(training: dict[str, Any] | None) -> list[tuple[str, Any]]:
    """The losses, metrics and the optimizer of a compile config, each with its role."""
    found: list[tuple[str, Any]] = []

    def walk(role: str, part: Any) -> None:
        if isinstance(part, str) or (isinstance(part, dict) and "class_name" in part):
            found.append((role, part))
        elif isinstance(part, dict):
            for one in part.values():
                walk(role, one)
        elif isinstance(part, list):
            for one in part:
                walk(role, one)

    for key, role in (
        ("optimizer", "optimizer"),
        ("loss", "loss"),
        ("metrics", "metric"),
        ("weighted_metrics", "metric"),
    ):
        if training:
            walk(role, training.get(key))
    return found
