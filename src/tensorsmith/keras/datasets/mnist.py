"""MNIST: handwritten digits."""

from __future__ import annotations

import numpy as np

from tensorsmith.keras.datasets.files import ORIGIN, cached

Arrays = tuple[np.ndarray, np.ndarray]
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz") -> tuple[Arrays, Arrays]:
    """(x_train, y_train), (x_test, y_test): grey images uint8 [60000, 28, 28] and [10000, 28, 28], digits uint8.

    path  the file's name in the cache folder, ~/.keras/datasets; it is fetched (11 MB) when it is not there.
    Source: LeCun, Cortes and Burges (1998), the MNIST database.
    """
    with np.load(cached(path, ORIGIN + "mnist.npz", _SHA256), allow_pickle=False) as held:
        return (held["x_train"], held["y_train"]), (held["x_test"], held["y_test"])
