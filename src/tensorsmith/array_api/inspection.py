"""What the namespace tells of itself: `xp.__array_namespace_info__()`."""

from __future__ import annotations

from typing import Any

from tensorsmith.array_api.array import DEVICE, check_device
from tensorsmith.array_api.data_types import DEFAULT_COMPLEX, DEFAULT_FLOAT, DEFAULT_INTEGER, INDEXING, KINDS, isdtype
from tensorsmith.core.dtypes import DType


class NamespaceInfo:
    """Dtypes, devices and capabilities.

    >>> import tensorsmith.array_api as xp
    >>> xp.__array_namespace_info__().default_dtypes()["real floating"]
    tf.float32
    """

    def capabilities(self) -> dict[str, Any]:
        """What the standard leaves open: masks as indices, sizes that hang on values, most axes."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        return DEVICE

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """The dtypes of Python numbers by themselves, and of indices."""
        check_device(device, "default_dtypes")
        return {
            "real floating": DEFAULT_FLOAT,
            "complex floating": DEFAULT_COMPLEX,
            "integral": DEFAULT_INTEGER,
            "indexing": INDEXING,
        }

    def devices(self) -> list[str]:
        return [DEVICE]

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, DType]:
        """The dtypes by name, all or those of a kind (see `isdtype`)."""
        check_device(device, "dtypes")
        every = (*KINDS["bool"], *KINDS["numeric"])
        return {dtype.name: dtype for dtype in every if kind is None or isdtype(dtype, kind)}


def __array_namespace_info__() -> NamespaceInfo:
    """What the namespace tells of itself."""
    return NamespaceInfo()
