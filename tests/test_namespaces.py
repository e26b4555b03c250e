"""What is public: every name is there, the lazy ones too, and none costs what is not used."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import tensorsmith as tf
from tensorsmith import public
from tests.support.process import python

NAMESPACES = sorted(module.name for module in pkgutil.iter_modules(public.__path__))


@pytest.mark.parametrize("name", NAMESPACES)
def test_a_namespace_has_what_it_promises(name: str) -> None:
    module = importlib.import_module(f"tensorsmith.public.{name}")
    assert module.__doc__
    assert module.__all__
    assert len(set(module.__all__)) == len(module.__all__)
    for each in module.__all__:
        assert hasattr(module, each), each


@pytest.mark.parametrize("name", tf.__all__)
def test_the_roof_has_what_it_promises(name: str) -> None:
    assert hasattr(tf, name)
    assert name in dir(tf)


def test_public_functions_say_what_they_do() -> None:
    silent = [
        f"{name}.{each}"
        for name in NAMESPACES
        for each in importlib.import_module(f"tensorsmith.public.{name}").__all__
        if inspect.isfunction(found := getattr(importlib.import_module(f"tensorsmith.public.{name}"), each))
        and not found.__doc__
    ]
    assert not silent


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"^module 'tensorsmith' has no attribute 'no_such_name'"):
        tf.no_such_name


def test_the_decorator_is_not_hidden_by_its_package(tmp_path: Path) -> None:
    script = "import tensorsmith as tf, tensorsmith.function.trace\nassert callable(tf.function), tf.function\n"
    (tmp_path / "s.py").write_text(script)
    done = python(tmp_path / "s.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_importing_leaves_the_heavy_libraries_alone(tmp_path: Path) -> None:
    heavy = ["jax", "h5py", "scipy", "matplotlib", "pandas", "rich", "ml_dtypes"]
    script = (
        "import sys, tensorsmith as tf\n"
        "x = tf.constant([1.0, 2.0])\n"
        "y = tf.reduce_sum(tf.square(x) + x)\n"
        "assert y.numpy() == 8.0\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
    )
    (tmp_path / "s.py").write_text(script)
    done = python(tmp_path / "s.py", cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr
