"""The text of a Lambda layer's function, run only when the caller says safe_mode=False.

Bytecode is never run: it is tied to one version of Python, and a file can hold bytes that crash any.
"""

from __future__ import annotations

import ast
from typing import Any

from tensorsmith.keras.saving.safety import quoted, refusal


def function_of(source: str, file: Any) -> Any:
    """The first lambda in a text, with `tf`, `keras`, `np` and `math` as the names it may use."""
    expression = _first_lambda(source)
    if expression is None:
        raise refusal(file, f"no function can be read from the text {quoted(source)!r}", "Lambda layer")
    import importlib
    import math

    import numpy as np

    tf = importlib.import_module("tensorsmith")
    names = {"tf": tf, "keras": tf.keras, "np": np, "numpy": np, "math": math}
    return eval(compile(ast.Expression(expression), f"<{quoted(str(file), 60)}>", "eval"), names)


def _first_lambda(source: str) -> ast.Lambda | None:
    # the lines of a lambda may begin and end inside a call: the longest text from `lambda` on that parses is it
    start = source.find("lambda")
    for end in range(len(source), start, -1) if start >= 0 else ():
        try:
            parsed = ast.parse(source[start:end].strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        parsed = parsed.elts[0] if isinstance(parsed, ast.Tuple) and parsed.elts else parsed
        if isinstance(parsed, ast.Lambda):
            return parsed
    return None
