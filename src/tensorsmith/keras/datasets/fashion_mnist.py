"""Fashion MNIST: pictures of clothes, as large and as many as the digits of MNIST."""

from __future__ import annotations

import gzip
import os
from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.keras.datasets.files import ORIGIN, cached

Arrays = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Arrays, Arrays]:
    """(x_train, y_train), (x_test, y_test): grey images uint8 [60000, 28, 28] and [10000, 28, 28], classes 0 to 9 uint8.

    The classes: T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot. The files (30 MB) are
    kept in ~/.keras/datasets/fashion-mnist, and fetched when they are not there.
    Source: Xiao, Rasul and Vollgraf (2017), Fashion-MNIST: a novel image dataset.
    """

    def read(part: str, axes: int) -> np.ndarray:
        name = f"{part}-idx{axes}-ubyte.gz"
        return _idx(cached(os.path.join("fashion-mnist", name), ORIGIN + name), axes)

    train = read("train-images", 3), read("train-labels", 1)
    return train, (read("t10k-images", 3), read("t10k-labels", 1))


def _idx(path: str, axes: int) -> np.ndarray:
    """The bytes in an IDX file: two zero bytes, 8 for bytes, the number of axes, their sizes (4 bytes each), the rest.

    Raises ValueError where the file does not hold what it says.
    """
    with gzip.open(path) as file:
        head = file.read(4 + 4 * axes)
        sizes = tuple(int(size) for size in np.frombuffer(head, ">u4", offset=4)) if len(head) == 4 + 4 * axes else ()
        if head[:4] != bytes([0, 0, 8, axes]) or len(sizes) != axes:
            raise _damaged(path, {"begins with": head[:4].hex()})
        count = int(np.prod(sizes, dtype=object))
        # one byte more is asked for, to see that there is none
        data = file.read(count + 1)
    if len(data) != count:
        raise _damaged(path, {"sizes": sizes, "bytes needed": count, "bytes there": len(data)})
    return np.frombuffer(data, np.uint8).reshape(sizes).copy()


def _damaged(path: str, given: dict[str, Any]) -> ValueError:
    return ValueError(
        explain(os.path.basename(path), "it is no IDX file of the kind expected", given, way_out=f"Remove {path}.")
    )
