"""Devices by name. Eager operations run on the processor; what is compiled runs where XLA was told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tensorsmith.core.errors import InvalidArgumentError, explain


class PhysicalDevice(NamedTuple):
    """A device of this machine."""

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device as operations see it."""

    name: str
    device_type: str


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices on which operations can run, of one type or of all.

    >>> list_physical_devices("CPU")
    [PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')]
    """
    return [PhysicalDevice("/physical_device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The same devices, by the names that `device` takes.

    >>> list_logical_devices("GPU")
    []
    """
    return [LogicalDevice("/device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that are used."""
    return list_physical_devices(device_type)


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Takes note of nothing: there is one processor, and it is used."""


class DeviceSpec:
    """A device by its parts, any of which may be open: job, replica, task, type and number.

    >>> spec = DeviceSpec(job="worker", task=1, device_type="gpu", device_index=0)
    >>> spec.to_string()
    '/job:worker/task:1/device:GPU:0'
    >>> DeviceSpec.from_string("/cpu:0")
    <DeviceSpec(job=None, replica=None, task=None, device_type=CPU, device_index=0)>
    """

    __slots__ = ("device_index", "device_type", "job", "replica", "task")

    def __init__(
        self,
        job: Any = None,
        replica: Any = None,
        task: Any = None,
        device_type: Any = None,
        device_index: Any = None,
    ) -> None:
        setting = object.__setattr__
        setting(self, "job", None if job is None else str(job))
        setting(self, "replica", None if replica is None else int(replica))
        setting(self, "task", None if task is None else int(task))
        setting(self, "device_type", None if device_type is None else _type(str(device_type)))
        setting(self, "device_index", None if device_index is None else int(device_index))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"A DeviceSpec cannot be changed: use spec.replace({name}={value!r}).")

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """The spec of a text such as "/job:ps/replica:0/task:0/device:GPU:0" or "/cpu:0"; * stands for any.

        Raises ValueError for a text that says something else, or names two types of device.
        """
        parts: dict[str, Any] = {}
        for piece in [piece.split(":") for piece in str(spec).split("/") if piece]:
            name, rest = piece[0], piece[1:]
            if name in ("job", "replica", "task") and len(rest) == 1:
                if rest[0]:
                    parts[name] = rest[0]
                continue
            named = name == "device"
            kind, number = (rest[0] if rest else "", rest[1:]) if named else (name, rest)
            if not kind or len(number) > 1 or not (named or kind.upper() in _TYPES):
                raise ValueError(
                    explain(
                        "DeviceSpec",
                        "a part of the text says nothing",
                        {"part": ":".join(piece), "spec": spec},
                        "it is job:NAME, replica:N, task:N, device:TYPE:N, cpu:N or gpu:N",
                    )
                )
            if "device_type" in parts:
                raise ValueError(explain("DeviceSpec", "two types of device are named", {"spec": spec}))
            if kind != "*":
                parts["device_type"] = kind
            if number and number[0] != "*":
                parts["device_index"] = number[0]
        return cls(**parts)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """The spec of a text; nothing of this one stays."""
        return type(self).from_string(spec)

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """This spec with what `dev` says in the place of what it says itself."""
        return self.replace(**{name: value for name, value in dev._parts().items() if value is not None})

    def replace(self, **kwargs: Any) -> DeviceSpec:
        """This spec with other parts."""
        return type(self)(**{**self._parts(), **kwargs})

    def to_string(self) -> str:
        """The text that `from_string` takes."""
        text = "".join(f"/{n}:{v}" for n, v in list(self._parts().items())[:3] if v is not None)
        if self.device_type is not None:
            text += f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}"
        return text

    def _parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("job", "replica", "task", "device_type", "device_index")}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self.to_string())

    def __repr__(self) -> str:
        return f"<DeviceSpec({', '.join(f'{name}={value}' for name, value in self._parts().items())})>"


_TYPES = frozenset({"CPU", "GPU", "TPU", "XLA_CPU", "XLA_GPU", "CUSTOM"})


def _type(name: str) -> str:
    return name.upper() if name.upper() in ("CPU", "GPU", "TPU") else name


@contextmanager
def device(device_name: Any) -> Iterator[None]:
    """A context in which operations would run on a device; there is only the processor, so it changes nothing.

    >>> with device("/cpu:0"):
    ...     pass
    """
    yield


def check_pinned(tensor: Any, name: str | None = None) -> Any:
    """Raises InvalidArgumentError: only memory that a GPU reads by itself is pinned, and tensors lie in none."""
    raise InvalidArgumentError(
        explain("check_pinned", "the tensor is not in pinned memory", {"device": "/device:CPU:0"})
    )
