"""What the standard says of special values: (function, condition, result), one row each.

A condition is a word for each argument (`VALUES` says which values it stands for), a result a word of `RESULTS`, of `x1`,
`x2` and `x` themselves, or a number, to which `~` in front allows rounding. `either nan` stands for one or both arguments.
"""

from __future__ import annotations

import math

inf, nan, pi = math.inf, math.nan, math.pi

_positive = [1e-3, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 7.75, 1e10]
_finite = [*_positive, *(-v for v in _positive), 0.0, -0.0]

VALUES: dict[str, list[float]] = {
    "nan": [nan],
    "-nan": [-nan],
    "+nan": [nan],
    "+0": [0.0],
    "-0": [-0.0],
    "0": [0.0, -0.0],
    "+inf": [inf],
    "-inf": [-inf],
    "inf": [inf, -inf],
    "1": [1.0],
    "-1": [-1.0],
    "finite": _finite,
    "finite>0": _positive,
    "finite<0": [-v for v in _positive],
    "finite!=0": [v for v in _finite if v],
    ">0": [*_positive, inf],
    "<0": [-inf, *(-v for v in _positive)],
    ">1": [1.5, 2.0, 7.75, 1e10, inf],
    "<1": [0.5, 0.0, -0.0, -1.0, -7.75, -inf],
    "<-1": [-1.5, -2.0, -7.75, -1e10, -inf],
    "|x|>1": [1.5, 2.0, -1.5, -2.0, 7.75, -1e10, inf, -inf],
    "|x|<1": [0.5, -0.5, 0.25, -0.25, 1e-3, 0.0, -0.0],
    "|x|=1": [1.0, -1.0],
    "any": [*_finite, inf, -inf, nan],
    "not nan": [*_finite, inf, -inf],
    "not 1": [v for v in [*_finite, inf, -inf, nan] if v != 1.0],
    "not 0": [v for v in [*_finite, inf, -inf, nan] if v],
    "finite or nan": [*_finite, nan],
    "odd>0": [1.0, 3.0, 5.0],
    "odd<0": [-1.0, -3.0, -5.0],
    "other>0": [0.5, 2.0, 4.0, 2.5, inf],
    "other<0": [-0.5, -2.0, -4.0, -2.5, -inf],
    "fraction": [0.5, -0.5, 2.25, -7.75],
    "whole": [-3.0, -2.0, -1.0, -0.0, 0.0, 1.0, 2.0, 7.0, 1e10],
    "half": [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 7.5],
}

# ---- functions of one real argument

UNARY = {
    "abs": ["nan -> nan", "-0 -> +0", "-inf -> +inf"],
    "acos": ["nan -> nan", ">1 -> nan", "<-1 -> nan", "1 -> +0"],
    "acosh": ["nan -> nan", "<1 -> nan", "1 -> +0", "+inf -> +inf"],
    "asin": ["nan -> nan", ">1 -> nan", "<-1 -> nan", "+0 -> +0", "-0 -> -0"],
    "asinh": ["nan -> nan", "+0 -> +0", "-0 -> -0", "+inf -> +inf", "-inf -> -inf"],
    "atan": ["nan -> nan", "+0 -> +0", "-0 -> -0", "+inf -> ~pi/2", "-inf -> ~-pi/2"],
    "atanh": ["nan -> nan", "<-1 -> nan", ">1 -> nan", "-1 -> -inf", "1 -> +inf", "+0 -> +0", "-0 -> -0"],
    "ceil": ["whole -> x", "+inf -> +inf", "-inf -> -inf", "+0 -> +0", "-0 -> -0", "nan -> nan"],
    "cos": ["nan -> nan", "+0 -> 1", "-0 -> 1", "+inf -> nan", "-inf -> nan"],
    "cosh": ["nan -> nan", "+0 -> 1", "-0 -> 1", "+inf -> +inf", "-inf -> +inf"],
    "exp": ["nan -> nan", "+0 -> 1", "-0 -> 1", "+inf -> +inf", "-inf -> +0"],
    "expm1": ["nan -> nan", "+0 -> +0", "-0 -> -0", "+inf -> +inf", "-inf -> -1"],
    "floor": ["whole -> x", "+inf -> +inf", "-inf -> -inf", "+0 -> +0", "-0 -> -0", "nan -> nan"],
    "isfinite": ["inf -> False", "nan -> False", "finite -> True"],
    "isinf": ["inf -> True", "finite or nan -> False"],
    "isnan": ["nan -> True", "not nan -> False"],
    "log": ["nan -> nan", "<0 -> nan", "0 -> -inf", "1 -> +0", "+inf -> +inf"],
    "log1p": ["nan -> nan", "<-1 -> nan", "-1 -> -inf", "-0 -> -0", "+0 -> +0", "+inf -> +inf"],
    "log2": ["nan -> nan", "<0 -> nan", "0 -> -inf", "1 -> +0", "+inf -> +inf"],
    "log10": ["nan -> nan", "<0 -> nan", "0 -> -inf", "1 -> +0", "+inf -> +inf"],
    "reciprocal": ["nan -> nan", "+0 -> +inf", "-0 -> -inf", "+inf -> +0", "-inf -> -0"],
    "round": ["whole -> x", "+inf -> +inf", "-inf -> -inf", "+0 -> +0", "-0 -> -0", "nan -> nan", "half -> even"],
    "sign": ["<0 -> -1", "0 -> 0", ">0 -> 1", "nan -> nan"],
    "signbit": [
        "+0 -> False", "-0 -> True", "+inf -> False", "-inf -> True", "finite>0 -> False", "finite<0 -> True",
        "+nan -> False", "-nan -> True",
    ],
    "sin": ["nan -> nan", "+0 -> +0", "-0 -> -0", "inf -> nan"],
    "sinh": ["nan -> nan", "+0 -> +0", "-0 -> -0", "+inf -> +inf", "-inf -> -inf"],
    "square": ["nan -> nan", "inf -> +inf", "0 -> +0"],
    "sqrt": ["nan -> nan", "<0 -> nan", "+0 -> +0", "-0 -> -0", "+inf -> +inf"],
    "tan": ["nan -> nan", "+0 -> +0", "-0 -> -0", "inf -> nan"],
    "tanh": ["nan -> nan", "+0 -> +0", "-0 -> -0", "+inf -> 1", "-inf -> -1"],
    "trunc": ["whole -> x", "+inf -> +inf", "-inf -> -inf", "+0 -> +0", "-0 -> -0", "nan -> nan"],
}  # fmt: skip

# ---- functions of two real arguments

_ADD = [
    "either nan -> nan", "+inf, -inf -> nan", "-inf, +inf -> nan", "+inf, +inf -> +inf", "-inf, -inf -> -inf",
    "+inf, finite -> +inf", "-inf, finite -> -inf", "finite, +inf -> +inf", "finite, -inf -> -inf", "-0, -0 -> -0",
    "-0, +0 -> +0", "+0, -0 -> +0", "+0, +0 -> +0", "0, finite!=0 -> x2", "finite!=0, 0 -> x1", "finite!=0, -x1 -> +0",
]  # fmt: skip
_QUOTIENT = [
    "either nan -> nan", "inf, inf -> nan", "0, 0 -> nan", "+0, >0 -> +0", "-0, >0 -> -0", "+0, <0 -> -0", "-0, <0 -> +0",
    ">0, +0 -> +inf", ">0, -0 -> -inf", "<0, +0 -> -inf", "<0, -0 -> +inf",
]  # fmt: skip
BINARY = {
    "add": _ADD,
    "atan2": [
        "either nan -> nan", ">0, +0 -> ~pi/2", ">0, -0 -> ~pi/2", "+0, >0 -> +0", "+0, +0 -> +0", "+0, -0 -> ~pi",
        "+0, <0 -> ~pi", "-0, >0 -> -0", "-0, +0 -> -0", "-0, -0 -> ~-pi", "-0, <0 -> ~-pi", "<0, +0 -> ~-pi/2",
        "<0, -0 -> ~-pi/2", "finite>0, +inf -> +0", "finite>0, -inf -> ~pi", "finite<0, +inf -> -0",
        "finite<0, -inf -> ~-pi", "+inf, finite -> ~pi/2", "-inf, finite -> ~-pi/2", "+inf, +inf -> ~pi/4",
        "+inf, -inf -> ~3pi/4", "-inf, +inf -> ~-pi/4", "-inf, -inf -> ~-3pi/4",
    ],
    "copysign": [
        "not nan, <0 -> -|x1|", "not nan, -0 -> -|x1|", "not nan, +0 -> |x1|", "not nan, >0 -> |x1|",
        "not nan, -nan -> -|x1|", "not nan, +nan -> |x1|", "nan, <0 -> -nan", "nan, -0 -> -nan", "nan, +0 -> +nan",
        "nan, >0 -> +nan", "nan, -nan -> -nan", "nan, +nan -> +nan",
    ],
    "divide": [
        *_QUOTIENT, "+inf, finite>0 -> +inf", "+inf, finite<0 -> -inf", "-inf, finite>0 -> -inf",
        "-inf, finite<0 -> +inf", "finite>0, +inf -> +0", "finite>0, -inf -> -0", "finite<0, +inf -> -0",
        "finite<0, -inf -> +0", "finite>0, finite>0 -> positive", "finite<0, finite<0 -> positive",
        "finite>0, finite<0 -> negative", "finite<0, finite>0 -> negative",
    ],
    "equal": [
        "either nan -> False", "+inf, +inf -> True", "-inf, -inf -> True", "-0, 0 -> True", "+0, 0 -> True",
        "finite, x1 -> True", "+inf, -inf -> False", "finite<0, finite>0 -> False",
    ],
    "floor_divide": [
        *_QUOTIENT, "+inf, finite>0 -> +inf or nan", "+inf, finite<0 -> -inf or nan", "-inf, finite>0 -> -inf or nan",
        "-inf, finite<0 -> +inf or nan", "finite>0, +inf -> +0", "finite>0, -inf -> -0 or -1",
        "finite<0, +inf -> -0 or -1", "finite<0, -inf -> +0",
    ],
    "hypot": [
        "inf, any -> +inf", "any, inf -> +inf", "0, not nan -> |x2|", "not nan, 0 -> |x1|", "finite or nan, nan -> nan",
        "nan, finite or nan -> nan",
    ],
    "logaddexp": ["either nan -> nan", "+inf, not nan -> +inf", "not nan, +inf -> +inf"],
    "maximum": ["either nan -> nan"],
    "minimum": ["either nan -> nan"],
    "multiply": [
        "either nan -> nan", "inf, 0 -> nan", "0, inf -> nan", ">0, finite>0 -> positive", "<0, finite<0 -> positive",
        ">0, finite<0 -> negative", "<0, finite>0 -> negative", "inf, +inf -> x1", "+inf, -inf -> -inf",
        "-inf, -inf -> +inf", "inf, finite>0 -> x1", "+inf, finite<0 -> -inf", "-inf, finite<0 -> +inf",
        "finite>0, inf -> x2", "finite<0, +inf -> -inf", "finite<0, -inf -> +inf",
    ],
    "nextafter": ["either nan -> nan", "-0, +0 -> +0", "+0, -0 -> -0"],
    "not_equal": [
        "either nan -> True", "+inf, -inf -> True", "-inf, +inf -> True", "finite<0, finite>0 -> True",
        "finite, x1 -> False", "+inf, +inf -> False", "-0, +0 -> False",
    ],
    "pow": [
        "not 1, nan -> nan", "any, +0 -> 1", "any, -0 -> 1", "nan, not 0 -> nan", "|x|>1, +inf -> +inf",
        "|x|>1, -inf -> +0", "|x|=1, +inf -> 1", "|x|=1, -inf -> 1", "1, not nan -> 1", "|x|<1, +inf -> +0",
        "|x|<1, -inf -> +inf", "+inf, >0 -> +inf", "+inf, <0 -> +0", "-inf, odd>0 -> -inf", "-inf, other>0 -> +inf",
        "-inf, odd<0 -> -0", "-inf, other<0 -> +0", "+0, >0 -> +0", "+0, <0 -> +inf", "-0, odd>0 -> -0",
        "-0, other>0 -> +0", "-0, odd<0 -> -inf", "-0, other<0 -> +inf", "finite<0, fraction -> nan",
    ],
    "remainder": [
        "either nan -> nan", "inf, inf -> nan", "0, 0 -> nan", "+0, >0 -> +0", "-0, >0 -> +0", "+0, <0 -> -0",
        "-0, <0 -> -0", ">0, +0 -> nan", ">0, -0 -> nan", "<0, +0 -> nan", "<0, -0 -> nan", "+inf, finite>0 -> nan",
        "+inf, finite<0 -> nan", "-inf, finite>0 -> nan", "-inf, finite<0 -> nan", "finite>0, +inf -> x1",
        "finite>0, -inf -> x2", "finite<0, +inf -> x2", "finite<0, -inf -> x1",
    ],
    # what x1 + (-x2) gives
    "subtract": [
        "either nan -> nan", "+inf, +inf -> nan", "-inf, -inf -> nan", "+inf, -inf -> +inf", "-inf, +inf -> -inf",
        "inf, finite -> x1", "finite, +inf -> -inf", "finite, -inf -> +inf", "-0, +0 -> -0", "-0, -0 -> +0",
        "+0, +0 -> +0", "+0, -0 -> +0", "finite!=0, x1 -> +0",
    ],
}  # fmt: skip

# clip: of the element, the lower and the upper bound
CLIP = ["nan, 0, 1 -> nan", "1, nan, 1 -> nan", "1, 0, nan -> nan"]

# Python's operators by the function that each is
OPERATORS = {
    "__add__": "add", "__sub__": "subtract", "__mul__": "multiply", "__truediv__": "divide",
    "__floordiv__": "floor_divide", "__mod__": "remainder", "__pow__": "pow", "__eq__": "equal", "__ne__": "not_equal",
}  # fmt: skip

# ---- functions of a complex argument a + bj

COMPLEX = {
    "abs": [
        "inf, any -> +inf", "any, inf -> +inf", "0, finite -> |b|", "finite, 0 -> |a|", "nan, finite -> nan",
        "finite, nan -> nan", "nan, nan -> nan",
    ],
    "acos": [
        "0, +0 -> ~pi/2, -0", "0, nan -> ~pi/2, nan", "finite, +inf -> ~pi/2, -inf", "finite!=0, nan -> nan, nan",
        "-inf, finite>0 -> ~pi, -inf", "+inf, finite>0 -> +0, -inf", "-inf, +inf -> ~3pi/4, -inf",
        "+inf, +inf -> ~pi/4, -inf", "inf, nan -> nan, inf", "nan, finite -> nan, nan", "nan, +inf -> nan, -inf",
        "nan, nan -> nan, nan",
    ],
    "acosh": [
        "0, +0 -> +0, ~pi/2", "finite, +inf -> +inf, ~pi/2", "finite!=0, nan -> nan, nan", "+0, nan -> nan, ~+-pi/2",
        "-inf, finite>0 -> +inf, ~pi", "+inf, finite>0 -> +inf, +0", "-inf, +inf -> +inf, ~3pi/4",
        "+inf, +inf -> +inf, ~pi/4", "inf, nan -> +inf, nan", "nan, finite -> nan, nan", "nan, +inf -> +inf, nan",
        "nan, nan -> nan, nan",
    ],
    "asinh": [
        "+0, +0 -> +0, +0", "finite>0, +inf -> +inf, ~pi/2", "finite, nan -> nan, nan", "+inf, finite>0 -> +inf, +0",
        "+inf, +inf -> +inf, ~pi/4", "nan, +0 -> nan, +0", "nan, finite!=0 -> nan, nan", "nan, +inf -> inf, nan",
        "nan, nan -> nan, nan",
    ],
    "atanh": [
        "+0, +0 -> +0, +0", "+0, nan -> +0, nan", "1, +0 -> +inf, +0", "finite>0, +inf -> +0, ~pi/2",
        "finite!=0, nan -> nan, nan", "+inf, finite>0 -> +0, ~pi/2", "+inf, +inf -> +0, ~pi/2", "+inf, nan -> +0, nan",
        "nan, finite -> nan, nan", "nan, +inf -> 0, ~pi/2", "nan, nan -> nan, nan",
    ],
    "cosh": [
        "+0, +0 -> 1, +0", "+0, +inf -> nan, 0", "+0, nan -> nan, 0", "finite!=0, +inf -> nan, nan",
        "finite!=0, nan -> nan, nan", "+inf, +0 -> +inf, +0", "+inf, finite!=0 -> inf cis",
        "+inf, +inf -> inf, nan", "+inf, nan -> +inf, nan", "nan, 0 -> nan, 0", "nan, finite!=0 -> nan, nan",
        "nan, nan -> nan, nan",
    ],
    "exp": [
        "0, +0 -> 1, +0", "finite, +inf -> nan, nan", "finite, nan -> nan, nan", "+inf, +0 -> +inf, +0",
        "-inf, finite -> 0 cis", "+inf, finite!=0 -> inf cis", "-inf, +inf -> 0, 0", "+inf, +inf -> inf, nan",
        "-inf, nan -> 0, 0", "+inf, nan -> inf, nan", "nan, +0 -> nan, +0", "nan, not 0 -> nan, nan",
        "nan, nan -> nan, nan",
    ],
    "expm1": [
        "0, +0 -> 0, +0", "finite, +inf -> nan, nan", "finite, nan -> nan, nan", "+inf, +0 -> +inf, +0",
        "-inf, finite -> -1, 0", "+inf, finite!=0 -> inf cis", "-inf, +inf -> -1, 0", "+inf, +inf -> inf, nan",
        "-inf, nan -> -1, 0", "+inf, nan -> inf, nan", "nan, +0 -> nan, +0", "nan, not 0 -> nan, nan",
        "nan, nan -> nan, nan",
    ],
    "isfinite": [
        "nan, any -> False", "any, nan -> False", "inf, any -> False", "any, inf -> False", "finite, finite -> True",
    ],
    "isinf": ["inf, any -> True", "finite or nan, inf -> True", "finite or nan, finite or nan -> False"],
    "isnan": ["nan, any -> True", "any, nan -> True", "not nan, not nan -> False"],
    "log": [
        "-0, +0 -> -inf, ~pi", "+0, +0 -> -inf, +0", "finite, +inf -> +inf, ~pi/2", "finite, nan -> nan, nan",
        "-inf, finite>0 -> +inf, ~pi", "+inf, finite>0 -> +inf, +0", "-inf, +inf -> +inf, ~3pi/4",
        "+inf, +inf -> +inf, ~pi/4", "inf, nan -> +inf, nan", "nan, finite -> nan, nan", "nan, +inf -> +inf, nan",
        "nan, nan -> nan, nan",
    ],
    "log1p": [
        "-1, +0 -> -inf, +0", "finite, +inf -> +inf, ~pi/2", "finite, nan -> nan, nan", "-inf, finite>0 -> +inf, ~pi",
        "+inf, finite>0 -> +inf, +0", "-inf, +inf -> +inf, ~3pi/4", "+inf, +inf -> +inf, ~pi/4", "inf, nan -> +inf, nan",
        "nan, finite -> nan, nan", "nan, +inf -> +inf, nan", "nan, nan -> nan, nan",
    ],
    "round": ["nan, half -> nan, even", "half, +inf -> even, +inf", "-0, +0 -> -0, +0", "whole, whole -> a, b"],
    "sign": ["0, 0 -> 0, 0", "nan, any -> nan, nan", "any, nan -> nan, nan"],
    "sinh": [
        "+0, +0 -> +0, +0", "+0, +inf -> 0, nan", "+0, nan -> 0, nan", "finite>0, +inf -> nan, nan",
        "finite>0, nan -> nan, nan", "+inf, +0 -> +inf, +0", "+inf, finite>0 -> inf cis", "+inf, +inf -> inf, nan",
        "+inf, nan -> inf, nan", "nan, +0 -> nan, +0", "nan, finite!=0 -> nan, nan", "nan, nan -> nan, nan",
    ],
    "sqrt": [
        "0, +0 -> +0, +0", "any, +inf -> +inf, +inf", "finite, nan -> nan, nan", "-inf, finite>0 -> +0, +inf",
        "+inf, finite>0 -> +inf, +0", "-inf, nan -> nan, inf", "+inf, nan -> +inf, nan", "nan, finite -> nan, nan",
        "nan, nan -> nan, nan",
    ],
    "tanh": [
        "+0, +0 -> +0, +0", "finite!=0, +inf -> nan, nan", "+0, +inf -> +0 or nan, nan", "finite!=0, nan -> nan, nan",
        "+0, nan -> +0 or nan, nan", "+inf, finite>0 -> 1, 0", "+inf, +inf -> 1, 0", "+inf, nan -> 1, 0",
        "nan, +0 -> nan, +0", "nan, finite!=0 -> nan, nan", "nan, nan -> nan, nan",
    ],
}  # fmt: skip
# sqrt: the edition's rows of (-inf, finite>0) and (+inf, finite>0) stand in each other's place; here they are as in C99.

_NUMBERS = {"pi": pi, "pi/2": pi / 2, "pi/4": pi / 4, "3pi/4": 3 * pi / 4}


def cases(row: str, arguments: int) -> tuple[list[tuple[float, ...]], str]:
    """The tuples of arguments that a row is about, and the words of its result."""
    condition, result = row.split(" -> ")
    if condition == "either nan":
        others = VALUES["any"]
        return [(nan, v) for v in others] + [(v, nan) for v in others], result
    found: list[tuple[float, ...]] = [()]
    for word in condition.split(", "):
        found = [
            (*before, value)
            for before in found
            for value in ([before[0]] if word == "x1" else [-before[0]] if word == "-x1" else VALUES[word])
        ]
    assert all(len(values) == arguments for values in found), row
    return found, result


def agrees(word: str, got: float | bool, given: tuple[float, ...]) -> bool:
    """Whether a result is what a word says."""
    if " or " in word:
        return any(agrees(each, got, given) for each in word.split(" or "))
    if word in ("True", "False"):
        return bool(got) is (word == "True")
    got = float(got)
    if word in ("nan", "+nan", "-nan"):
        return math.isnan(got) and (word == "nan" or math.copysign(1.0, got) == (1.0 if word == "+nan" else -1.0))
    if math.isnan(got):
        return False
    if word in ("positive", "negative"):
        return math.copysign(1.0, got) == (1.0 if word == "positive" else -1.0)
    if word in ("inf", "0"):
        return abs(got) == float(word)
    if word == "even":
        # of a half: Python rounds it so, too
        return any(got == round(value) for value in given if math.isfinite(value))
    if word.startswith("~"):
        signs = (1.0, -1.0) if word.startswith("~+-") else (-1.0,) if word.startswith("~-") else (1.0,)
        return any(math.isclose(got, sign * _NUMBERS[word.lstrip("~+-")], rel_tol=1e-5) for sign in signs)
    named = {"x": 0, "x1": 0, "x2": 1, "a": 0, "b": 1}
    if word in named:
        expected = given[named[word]]
    elif word.strip("-|") in named:
        expected = abs(given[named[word.strip("-|")]]) * (-1.0 if word.startswith("-") else 1.0)
    else:
        expected = float(word)
    signed = word not in ("1", "-1")
    return got == expected and (not signed or math.copysign(1.0, got) == math.copysign(1.0, expected))


def agrees_complex(result: str, got: complex, given: tuple[float, ...]) -> bool:
    """Whether a complex result, or a real one of a complex argument, is what the words say."""
    if result.endswith(" cis"):
        size = result.split()[0]
        turn = given[1]
        signs = ("" if math.cos(turn) > 0 else "-", "" if math.sin(turn) > 0 else "-")
        words = [f"{sign or '+'}{size}" for sign in signs]
        if not turn and size == "0":
            words[1] = "0"
        return agrees(words[0], got.real, given) and agrees(words[1], got.imag, given)
    words = result.split(", ")
    if len(words) == 1:
        return agrees(words[0], got.real if isinstance(got, complex) else got, given)
    return agrees(words[0], got.real, given) and agrees(words[1], got.imag, given)
