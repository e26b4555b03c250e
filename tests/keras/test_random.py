"""keras.random: seeds that are numbers, generators or absent; at once and in training."""

import numpy as np
import pytest

from tensorsmith import keras
from tests.support import compiled

random = keras.random
DRAWS = {
    "normal": lambda seed: random.normal((500,), mean=1.0, stddev=2.0, seed=seed),
    "truncated_normal": lambda seed: random.truncated_normal((500,), mean=1.0, stddev=2.0, seed=seed),
    "uniform": lambda seed: random.uniform((500,), minval=-1.0, maxval=3.0, seed=seed),
    "randint": lambda seed: random.randint((500,), 2, 9, seed=seed),
    "categorical": lambda seed: random.categorical(np.zeros((1, 5), "float32"), 500, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(500), seed=seed),
    "dropout": lambda seed: random.dropout(np.ones(500, "float32"), 0.25, seed=seed),
}
each = pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)


@each
def test_a_number_gives_the_same_at_every_call(draw):
    np.testing.assert_array_equal(draw(3).numpy(), draw(3).numpy())
    assert (draw(3).numpy() != draw(4).numpy()).any()


@each
@pytest.mark.parametrize("run", [lambda draw: draw(), compiled.run], ids=["eager", "compiled"])
def test_a_generator_gives_other_numbers_at_every_call_and_the_same_in_every_run(draw, run):
    def twice():
        seed = random.SeedGenerator(5)
        return [np.asarray(run(lambda: draw(seed))) for _ in range(2)]

    first, again = twice(), twice()
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()


@each
def test_without_a_seed_the_seed_of_the_process_counts(draw):
    def twice():
        keras.utils.set_random_seed(1)
        return draw(None).numpy(), draw(None).numpy(), draw(random.SeedGenerator()).numpy()

    first, again = twice(), twice()
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()


def test_where_the_numbers_lie():
    values = {name: draw(1).numpy() for name, draw in DRAWS.items()}
    assert abs(values["normal"].mean() - 1) < 0.4 and abs(values["normal"].std() - 2) < 0.3
    assert abs(values["truncated_normal"] - 1).max() <= 4 < abs(values["normal"] - 1).max()
    assert values["uniform"].min() >= -1 and values["uniform"].max() < 3 and abs(values["uniform"].mean() - 1) < 0.3
    assert set(values["randint"]) == set(range(2, 9)) and values["randint"].dtype == "int32"
    assert set(values["categorical"][0]) == set(range(5)) and values["categorical"].shape == (1, 500)
    assert sorted(values["shuffle"]) == list(range(500))
    assert set(values["dropout"]) == {0.0, np.float32(1) / np.float32(0.75)}
    assert abs((values["dropout"] == 0).mean() - 0.25) < 0.1


def test_shuffle_along_an_axis():
    rows = np.arange(12).reshape(2, 6)
    mixed = random.shuffle(rows, axis=1, seed=2).numpy()
    assert (mixed[1] - mixed[0] == 6).all() and sorted(mixed[0]) == list(range(6)) and (mixed != rows).any()


def test_the_next_seed_of_a_generator():
    generator = random.SeedGenerator(4)
    one, two = generator.next(), generator.next()
    assert tuple(one.shape) == (2,) and (one.numpy() != two.numpy()).any()
    np.testing.assert_array_equal(random.normal((3,), seed=one).numpy(), random.normal((3,), seed=one).numpy())


def test_the_state_of_a_generator_is_a_variable_of_its_layer_and_no_weight():
    class Noise(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed = random.SeedGenerator(1)

        def call(self, x):
            return x + random.normal((3,), seed=self.seed)

    layer = Noise()
    model = keras.Sequential([keras.Input(shape=(3,)), layer])
    assert layer.weights == [] and layer.variables[0] is layer.seed.state
    start, zeros = layer.seed.state.numpy(), np.zeros((4, 3), "float32")
    first, second = model.predict(zeros, verbose=0), model.predict(zeros, verbose=0)
    assert (first != second).any()
    layer.seed.state.assign(start)
    np.testing.assert_array_equal(model.predict(zeros, verbose=0), first)
