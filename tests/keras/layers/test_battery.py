"""The battery for all built-in layers, found through the registry; real Keras 3 is the truth."""

import pytest

from tensorsmith import keras
from tensorsmith.keras import registry
from tests.support import reference
from tests.support.batteries import layers as battery

every_case = pytest.mark.parametrize(
    ("name", "settings", "sample"),
    battery.ROWS,
    ids=[f"{name}-{sample.__name__}-{len(settings)}" for name, settings, sample in battery.ROWS],
)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(5)


def test_every_built_in_layer_is_in_the_battery():
    classes = {name for name, thing in registry.builtins("layer").items() if isinstance(thing, type)}
    assert classes == {*battery.CASES, *battery.APART}


@every_case
class TestEvery:
    def test_against_keras(self, name, settings, sample):
        battery.check_against(reference.keras(), name, settings, sample())

    def test_config_opens_in_keras(self, name, settings, sample):
        battery.check_config_opens(reference.keras(), name, settings, sample())

    def test_round_trip(self, name, settings, sample):
        battery.check_round_trip(battery.make(name, settings), sample(), settings)

    def test_symbolic_shape(self, name, settings, sample):
        battery.check_symbolic_shape(battery.make(name, settings), sample())

    def test_compiled(self, name, settings, sample):
        battery.check_compiled(battery.make(name, settings), sample())

    def test_dtypes(self, name, settings, sample):
        battery.check_dtypes(battery.make(name, settings), sample())

    def test_gradients(self, name, settings, sample):
        battery.check_gradients(battery.make(name, settings), sample())

    def test_saved(self, name, settings, sample, tmp_path):
        battery.check_saved(battery.make(name, settings), sample(), tmp_path)
