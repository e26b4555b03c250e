"""The log of this package."""

from __future__ import annotations

import logging


def get_logger() -> logging.Logger:
    """The logger of what Tensorsmith has to tell beside warnings: Python's own, by the name "tensorsmith".

    >>> get_logger().name
    'tensorsmith'
    """
    return logging.getLogger("tensorsmith")
