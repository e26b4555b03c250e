"""What variables hold between calls of compiled functions: windows on values that stay where the program left them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.program.words import Span
from tensorsmith.tensor.tensor import Tensor


class Snapshot:
    """The values of a function's variables at one moment: small ones in one buffer of words, each other by itself.

    Immutable: a call makes a new one. Arrays of the device or of NumPy; the buffer is fetched once, when somebody looks.
    """

    __slots__ = ("_host", "large", "words")

    def __init__(self, words: Any, large: list[Any]) -> None:
        self.words, self.large = words, large
        self._host: Any = None

    @property
    def host(self) -> np.ndarray:
        """The buffer as a NumPy array."""
        found = self._host
        if found is None:
            found = self._host = np.asarray(self.words)
        return found


class Store:
    """Holds the newest Snapshot. All variables of a function change at once, by one assignment to `now`."""

    __slots__ = ("now",)

    def __init__(self, now: Snapshot) -> None:
        self.now = now


class Window(Tensor):
    """What a variable holds while its value stands in a Store: its place there.

    It shows whatever the store holds now, so it is never given away: who reads the variable gets `value()`.
    """

    __slots__ = ("place", "seen", "store")

    def __init__(self, store: Store, place: Span | int) -> None:
        self.store, self.place = store, place
        # the last snapshot that somebody looked at, and the tensor made from it
        self.seen: tuple[Any, Any] = (None, None)

    @property
    def _array(self) -> Any:  # type: ignore[override]
        return self.value()._array

    def value(self) -> Tensor:
        """The value now, as a tensor that stays as it is. The same one until the store changes: tapes know it by identity."""
        now = self.store.now
        snapshot, tensor = self.seen
        if snapshot is not now:
            place = self.place
            tensor = Tensor(place.of(now.host) if isinstance(place, Span) else np.asarray(now.large[place]))
            self.seen = now, tensor
        return tensor
