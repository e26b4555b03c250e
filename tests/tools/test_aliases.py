"""What `tensorflow`, `keras` and `tf_keras` mean in a script that Tensorsmith runs."""

import json
from pathlib import Path

import pytest

import tensorsmith as tf
from tensorsmith.tools import aliases
from tests.support.process import python, run_script

# What is imported, and an expression over Tensorsmith (as `tf`) that must be the very same object.
SAME = {
    "import tensorflow as it": "tf",
    "from tensorflow import keras as it": "tf.keras",
    "import tensorflow.keras as it": "tf.keras",
    "import tensorflow.keras.layers as it": "tf.keras.layers",
    "from tensorflow.keras import layers as it": "tf.keras.layers",
    "from tensorflow.keras.layers import Dense as it": "tf.keras.layers.Dense",
    "from tensorflow.keras.models import Sequential as it": "tf.keras.Sequential",
    "from tensorflow.keras import backend as it": "tf.keras.backend",
    "import keras as it": "tf.keras",
    "from keras import layers as it": "tf.keras.layers",
    "from keras.optimizers import Nadam as it": "tf.keras.optimizers.Nadam",
    "import keras.losses as it": "tf.keras.losses",
    "import tf_keras as it": "tf.keras",
    "from tf_keras.metrics import Metric as it": "tf.keras.metrics.Metric",
    "import tensorflow.compat.v2 as it": "tf",
    "from tensorflow.compat import v2 as it": "tf",
    "from tensorflow.compat.v2.keras.layers import Dense as it": "tf.keras.layers.Dense",
    "from tensorflow.python.keras import layers as it": "tf.keras.layers",
    "from tensorflow.math import log as it": "tf.math.log",
    "import tensorflow.math as it": "tf.math",
    "from tensorflow import square as it": "tf.square",
    "import tensorflow.losses as it": "tf.keras.losses",
}

# What is not there, and what the error must say.
ABSENT = {
    "import tensorflow.foo.bar": "No module named 'tensorflow.foo': Tensorsmith has no tensorflow.foo yet; ",
    "import keras.layerz": "No module named 'keras.layerz': Tensorsmith has no keras.layerz yet; near it: layers.",
    "import tensorflow.keras.layers.Dense": "No module named 'tensorflow.keras.layers.Dense': "
    "it is no module; write `from tensorflow.keras.layers import Dense`.",
    "from tensorflow.compat import v1": "cannot import name 'v1' from 'tensorflow.compat' (unknown location)",
    "import tensorflow.compat.v1 as tf": "No module named 'tensorflow.compat.v1': "
    "Tensorsmith has no tensorflow.compat.v1 yet; there is tensorflow.compat.v2.",
    "import tensorflow.program": "No module named 'tensorflow.program': Tensorsmith has no tensorflow.program yet; ",
    "import tensorflow.math.nope": "No module named 'tensorflow.math.nope': "
    "Tensorsmith has no tensorflow.math.nope yet; ",
}

ASK = """
import json, sys
import tensorsmith as tf
same, absent = json.loads(sys.argv[1])
answers = []
for statement, expression in same.items():
    names = {}
    try:
        exec(statement, names)
        answers.append((statement, names["it"] is eval(expression)))
    except Exception as error:
        answers.append((statement, repr(error)))
for statement in absent:
    try:
        exec(statement, {})
        answers.append((statement, "no error"))
    except ImportError as error:
        answers.append((statement, str(error)))
print(json.dumps(dict(answers)))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    ran = run_script(tmp_path_factory.mktemp("aliases"), ASK, json.dumps([SAME, list(ABSENT)]))
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("statement", SAME)
def test_an_alias_is_the_very_module(statement: str, answers: dict[str, object]) -> None:
    assert answers[statement] is True


@pytest.mark.parametrize("statement", ABSENT)
def test_what_is_missing_is_named_with_what_is_near(statement: str, answers: dict[str, object]) -> None:
    assert str(answers[statement]).startswith(ABSENT[statement])


def test_a_name_that_a_from_import_does_not_find_gets_a_hint(tmp_path: Path) -> None:
    ran = run_script(tmp_path, "from tensorflow.keras.layers import Densse\n")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "tensorsmith.keras.layers has no 'Densse' yet; near it: Dense."


def test_other_import_errors_get_no_hint() -> None:
    assert aliases.hint(ImportError("cannot import name 'x' from 'os'", name="os")) is None
    assert aliases.hint(ValueError("cannot import name 'x'")) is None


@pytest.fixture
def impostors(tmp_path: Path) -> Path:
    """A folder in which a TensorFlow and a Keras are installed."""
    folder = tmp_path / "installed"
    folder.mkdir()
    for name in ("tensorflow", "keras", "tf_keras"):
        (folder / f"{name}.py").write_text("WHO = 'the installed one'\n")
    return folder


def test_an_installed_tensorflow_loses(tmp_path: Path, impostors: Path) -> None:
    source = "import tensorflow, keras, tf_keras\nprint([hasattr(m, 'WHO') for m in (tensorflow, keras, tf_keras)])\n"
    ran = run_script(tmp_path, source, path=(impostors,))
    assert ran.stdout.strip() == "[False, False, False]", ran.stderr


def test_an_installed_tensorflow_loses_also_when_it_is_loaded_already(tmp_path: Path, impostors: Path) -> None:
    (tmp_path / "script.py").write_text("import tensorflow\nprint(hasattr(tensorflow, 'WHO'))\n")
    source = "import tensorflow; from tensorsmith.tools.cli import main; main(['run', 'script.py'])"
    ran = python("-c", source, cwd=tmp_path, path=(impostors,))
    assert ran.stdout.strip() == "False", ran.stderr


def test_outside_of_a_run_the_installed_one_is_found(tmp_path: Path, impostors: Path) -> None:
    source = "import tensorsmith, tensorsmith.tools.run, tensorflow, keras; print(tensorflow.WHO, '/', keras.WHO)"
    ran = python("-c", source, cwd=tmp_path, path=(impostors,))
    assert ran.stdout.strip() == "the installed one / the installed one", ran.stderr


def test_the_version_is_that_of_the_interface(tmp_path: Path) -> None:
    source = """
import tensorflow as tf, keras
from packaging.version import Version
assert tf.__version__ >= "2.0" and keras.__version__ >= "2.4"
assert Version(tf.__version__).release[0] == 2 and Version(keras.__version__).release[0] == 3
print(tf.__version__)
"""
    ran = run_script(tmp_path, source)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().endswith(f"+tensorsmith.{tf.__version__}")


def test_an_alias_leaves_the_modules_own_name_and_spec(tmp_path: Path) -> None:
    source = "import tensorflow.keras.layers as it\nprint(it.__name__, it.__spec__.name)\n"
    assert run_script(tmp_path, source).stdout.split() == ["tensorsmith.keras.layers"] * 2
