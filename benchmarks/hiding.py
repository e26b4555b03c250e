"""Makes installed packages look absent, so that a peer is measured as its own users have it.

Keras imports pandas and scikit-learn where it finds them, and TensorFlow for a random seed: in an
environment made for many peers its import takes 1.9 s instead of 1.2, a seed 3 s more.
"""

from __future__ import annotations

import os
import sys
from typing import Any, cast

VARIABLE = "BENCHMARKS_HIDE"
# None in sys.modules makes every import of the name fail as if it were not installed.
STATEMENT = "import sys; sys.modules.update(dict.fromkeys({names!r}))"


def hide() -> None:
    """Hides what the environment of this process names, before anything has imported it."""
    names = os.environ.get(VARIABLE, "").split(",")
    cast("dict[str, Any]", sys.modules).update(dict.fromkeys(filter(None, names)))
