"""What optimizers written for TensorFlow 2.0 to 2.10 call: hyperparameters by name, slots by variable and name."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from tensorsmith.function.autograph import in_trace
from tensorsmith.keras import config, initializers
from tensorsmith.keras.variable import Variable
from tensorsmith.ops.casting import cast
from tensorsmith.tensor.convert import convert


class Keras2Optimizer:
    """The methods of the old base class, in terms of the new one's; mixed into `Optimizer`.

    A subclass of that time writes `_create_slots(var_list)`, which calls `add_slot`, and
    `_resource_apply_dense(grad, var)`, which reads `get_slot`, `_get_hyper` and `_decayed_lr`.
    """

    _hyper: dict[str, Any]
    _slots: dict[tuple[int, str], Variable]

    # ---- hyperparameters

    def _set_hyper(self, name: str, value: Any) -> None:
        """Keeps a number, schedule or function under a name; read by `_get_hyper` and as an attribute."""
        if name == "learning_rate":
            self.learning_rate = value
            return
        if name == "decay":
            self._initial_decay = float(value)
        if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
            # a variable, so that a compiled step sees a later change
            value = Variable(np.asarray(value, config.floatx()), dtype=config.floatx(), trainable=False, name=name)
        self.__dict__.setdefault("_hyper", {})[name] = value

    def _get_hyper(self, name: str, dtype: Any = None) -> Any:
        """The value kept under a name, as a tensor of `dtype`."""
        if name == "learning_rate":
            value = self._current_rate()  # type: ignore[attr-defined]
        else:
            value = self.__dict__["_hyper"][name]
            value = value() if callable(value) and not isinstance(value, Variable) else value
        return value if dtype is None else cast(value, dtype)

    def _serialize_hyperparameter(self, name: str) -> Any:
        """The value kept under a name, as it stands in a config."""
        if name == "learning_rate":
            return self._rate_config()  # type: ignore[attr-defined]
        if name == "decay" and name not in self.__dict__.get("_hyper", {}):
            return self._initial_decay  # type: ignore[attr-defined]
        value = self.__dict__["_hyper"][name]
        return float(str(value.numpy())) if isinstance(value, Variable) else value

    def __getattr__(self, name: str) -> Any:
        hyper = self.__dict__.get("_hyper", {})
        if name in hyper:
            return hyper[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("_hyper", ()):
            self._set_hyper(name, value)
        else:
            object.__setattr__(self, name, value)

    def _decayed_lr(self, var_dtype: Any) -> Any:
        """The learning rate of this step in a dtype."""
        return cast(self._current_rate(), var_dtype)  # type: ignore[attr-defined]

    # ---- slots

    def add_slot(self, var: Any, slot_name: str, initializer: Any = "zeros", shape: Any = None) -> Variable:
        """The slot of a variable by this name, made at the first call."""
        slots = self.__dict__.setdefault("_slots", {})
        key = id(var), slot_name
        if key not in slots:
            start = (
                initializer
                if isinstance(initializer, str) or callable(initializer)
                else initializers.Constant(initializer)
            )
            slots[key] = self.add_variable_from_reference(var, slot_name, start)  # type: ignore[attr-defined]
        return slots[key]

    def get_slot(self, var: Any, slot_name: str) -> Variable:
        """The slot of a variable by this name; KeyError when there is none."""
        return self.__dict__.get("_slots", {})[id(var), slot_name]

    def get_slot_names(self) -> list[str]:
        """The names of its slots, in the order in which they were made."""
        return list(dict.fromkeys(name for _, name in self.__dict__.get("_slots", {})))

    def _create_all_weights(self, var_list: Any) -> None:
        if not self.built:  # type: ignore[attr-defined]
            self.build(var_list)  # type: ignore[attr-defined]

    def _prepare(self, var_list: Any) -> dict[Any, dict[str, Any]]:
        """{(device, dtype): what updates share}, as `_resource_apply_dense(grad, var, apply_state)` gets it."""
        state: dict[Any, dict[str, Any]] = {}
        for variable in var_list:
            key = variable.device, variable.dtype.base_dtype
            if key not in state:
                state[key] = {}
                self._prepare_local(*key, state)
        return state

    def _prepare_local(self, var_device: Any, var_dtype: Any, apply_state: dict[Any, dict[str, Any]]) -> None:
        apply_state[(var_device, var_dtype)]["lr_t"] = self._decayed_lr(var_dtype)

    # ---- one step

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Changes one variable (and its slots) by its gradient; every subclass writes it."""
        apply_dense = getattr(self, "_resource_apply_dense", None)
        if apply_dense is None:
            raise NotImplementedError(
                f"{type(self).__name__} must write update_step(self, gradient, variable, learning_rate)."
            )
        if "apply_state" in inspect.signature(apply_dense).parameters:
            in_trace(apply_dense)(gradient, variable, apply_state=self._prepare([variable]))
        else:
            in_trace(apply_dense)(convert(gradient), variable)
