"""Where the file of a data set is: in the cache folder, else fetched into it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import urllib.request
from typing import Any

from tensorsmith.core.errors import explain

# the folder of Google's copies, which Keras's own loaders read
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_PIECE_BYTES = 1 << 20
_TIMEOUT_S = 60


def cache_folder() -> str:
    """The folder of data sets, shared with Keras: `datasets` in $KERAS_HOME, or in ~/.keras."""
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    return os.path.join(home, "datasets")


def cached(name: str, url: str, sha256: str | None = None) -> str:
    """The path of a file in the cache folder; it is fetched from `url` when it is not there.

    name    its path inside the cache folder.
    sha256  what its bytes must hash to, 64 hexadecimal digits.

    A file appears whole or not at all. Raises FileNotFoundError, saying where to put the file by hand, when it cannot be
    fetched, and ValueError when what came is not the file.
    """
    path = os.path.join(cache_folder(), name)
    if os.path.exists(path):
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, part = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            found = _fetch(url, file, path)
        if sha256 is not None and found != sha256:
            raise ValueError(
                explain(name, "another file was fetched than the one expected", {"url": url, "sha256": found})
            )
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)
        raise
    return path


def _fetch(url: str, file: Any, path: str) -> str:
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            while piece := answer.read(_PIECE_BYTES):
                digest.update(piece)
                file.write(piece)
    except OSError as error:
        raise FileNotFoundError(
            explain(
                os.path.basename(path),
                "the file is not in the cache folder and cannot be fetched",
                {"path": path, "url": url, "reason": error},
                way_out="Fetch it by other means and put it at that path.",
            )
        ) from None
    return digest.hexdigest()
