"""Optimizers: against real Keras, the battery for all of them, users' own ones in three dialects, and their errors."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.function.trace import trace
from tensorsmith.keras import registry
from tensorsmith.keras.optimizers import schedules
from tensorsmith.keras.variable import Variable
from tests.support import compiled, reference
from tests.support.batteries import optimizers as battery

every_case = pytest.mark.parametrize(
    ("name", "settings"), battery.ROWS, ids=[f"{name}-{settings}" for name, settings in battery.ROWS]
)


def test_every_built_in_optimizer_is_in_the_battery():
    assert set(registry.builtins("optimizer")) == {*battery.CASES, *battery.BASES}


@every_case
class TestEvery:
    def test_against_keras(self, name, settings):
        real = reference.keras()
        theirs = [real.Variable(start, name=word) for start, word in zip(battery.starts(), "ab", strict=True)]
        battery.check_against(
            getattr(keras.optimizers, name)(**settings),
            getattr(real.optimizers, name)(**settings),
            battery.variables(),
            theirs,
            real.ops.convert_to_tensor,
        )

    @pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras's own
    def test_config_opens_in_keras(self, name, settings):
        real = reference.keras()
        ours = getattr(keras.optimizers, name)(name="mine", **settings)
        theirs = real.optimizers.deserialize(registry.serialize_keras_object(ours))
        back = registry.deserialize_keras_object(real.optimizers.serialize(theirs))
        # Keras writes its single-precision rate in double precision
        assert back.get_config() == ours.get_config()
        assert {**theirs.get_config(), "learning_rate": 0} == {**ours.get_config(), "learning_rate": 0}

    def test_round_trip(self, name, settings):
        battery.check_round_trip(getattr(keras.optimizers, name)(**settings))

    def test_compiled(self, name, settings):
        battery.check_compiled(lambda: getattr(keras.optimizers, name)(**settings))

    def test_resumed(self, name, settings):
        battery.check_resumed(lambda: getattr(keras.optimizers, name)(**settings))

    def test_double(self, name, settings):
        battery.check_double(lambda: getattr(keras.optimizers, name)(**settings))


@pytest.mark.parametrize("name", ["SGD", "Adam", "Nadam", "RMSprop"])
def test_optimizers_that_differ_in_their_rate_share_one_program(name):
    def signature(rate):
        optimizer, changed = getattr(keras.optimizers, name)(learning_rate=rate), battery.variables()
        return trace(lambda graph: battery.step(optimizer, changed, 0)).program.signature()

    assert signature(0.1) == signature(0.01)


@pytest.mark.parametrize(("name", "each", "shared"), [("SGD", 2, 1), ("Adam", 13, 10), ("Nadam", 16, 22)])
def test_few_operations_for_each_variable(name, each, shared):
    def nodes(count):
        optimizer = getattr(keras.optimizers, name)()
        changed = [Variable(np.ones(2, "f"), name=f"v{i}") for i in range(count)]
        gradients = [Variable(np.ones(2, "f")) for _ in changed]
        return len(trace(lambda graph: optimizer.apply([g.value() for g in gradients], changed)).program.nodes)

    assert nodes(2) - nodes(1) <= each
    assert nodes(1) - (nodes(2) - nodes(1)) <= shared


# ---- names


@pytest.mark.parametrize("name", [name for name in battery.CASES if name != "Optimizer"])
def test_names_in_any_case(name):
    kinds = {type(keras.optimizers.get(word)).__name__ for word in (name, name.lower(), name.upper())}
    assert kinds == {name}


def test_get_takes_everything_that_is_an_optimizer():
    instance = keras.optimizers.Adam(0.3)
    assert keras.optimizers.get(None) is None
    assert keras.optimizers.get(instance) is instance
    assert type(keras.optimizers.get(keras.optimizers.Adam)) is keras.optimizers.Adam
    read = keras.optimizers.get({"class_name": "Custom>Nadam", "config": {"learning_rate": 0.5, "jit_compile": True}})
    assert type(read) is keras.optimizers.Nadam and read.learning_rate.numpy() == 0.5
    assert keras.optimizers.legacy.Adam is keras.optimizers.Adam
    with pytest.raises(ValueError) as caught:
        keras.optimizers.get("adamm")
    assert str(caught.value) == (
        "keras.optimizer: unknown optimizer 'adamm'. Did you mean 'adam'? "
        'If it is your own, give custom_objects={"adamm": adamm}.'
    )


# ---- the learning rate


def test_the_rate_is_a_variable_that_can_be_set():
    optimizer = keras.optimizers.SGD(learning_rate=0.1)
    assert float(optimizer.learning_rate) == float(optimizer.lr) == np.float32(0.1)
    optimizer.learning_rate = 0.5
    optimizer.lr.assign(optimizer.lr * 2.0)
    assert float(optimizer.learning_rate) == 1.0
    assert keras.optimizers.SGD(lr=0.3).get_config()["learning_rate"] == 0.3
    assert (
        [v.name for v in optimizer.variables]
        == ["iteration", "learning_rate"]
        == [v.name for v in optimizer.variables()]
    )


def test_a_rate_changed_after_a_trace_is_seen_by_the_program():
    optimizer, variable = keras.optimizers.SGD(learning_rate=0.0), Variable(np.ones(1, "f"))
    for rate, value in ((0.5, 0.5), (0.25, 0.25)):
        optimizer.learning_rate = rate
        compiled.run(lambda: optimizer.apply([tf.constant([1.0])], [variable]))
        assert variable.numpy() == value


def test_what_a_step_shares_ends_with_it():
    optimizer, variable = keras.optimizers.Adam(), Variable(np.ones(1, "f"))
    compiled.run(lambda: optimizer.apply([tf.constant([1.0])], [variable]))
    assert np.asarray(optimizer.steps()) == 2.0


def test_a_schedule_is_followed_and_cannot_be_set():
    schedule = schedules.ExponentialDecay(1.0, decay_steps=1, decay_rate=0.5)
    optimizer, variable = keras.optimizers.SGD(schedule), Variable(np.zeros(1, "f"))
    for _ in range(3):
        optimizer.apply([tf.constant([1.0])], [variable])
    assert variable.numpy() == -(1 + 0.5 + 0.25) and float(optimizer.learning_rate) == 0.125
    again = registry.deserialize_keras_object(registry.serialize_keras_object(optimizer))
    assert again._learning_rate.get_config() == schedule.get_config()
    with pytest.raises(TypeError) as caught:
        optimizer.learning_rate = 0.1
    assert str(caught.value) == (
        "sgd: its learning rate follows a schedule and cannot be set (given=0.1). Make the optimizer with a number, or set "
        "another schedule."
    )
    optimizer.learning_rate = schedules.ExponentialDecay(2.0, decay_steps=1, decay_rate=1.0)
    assert float(optimizer.learning_rate) == 2.0


def test_a_function_as_rate_and_the_decay_of_keras_2():
    optimizer, variable = keras.optimizers.SGD(lambda: 0.5), Variable(np.zeros(1, "f"))
    optimizer.apply([tf.constant([1.0])], [variable])
    assert variable.numpy() == -0.5
    optimizer, variable = keras.optimizers.SGD(1.0, decay=1.0), Variable(np.zeros(1, "f"))
    for _ in range(2):
        optimizer.apply([tf.constant([1.0])], [variable])
    assert variable.numpy() == -(1 + 1 / 2)
    battery.check_round_trip(keras.optimizers.SGD(1.0, decay=1.0))


@pytest.mark.parametrize("rate", [-0.1, float("nan"), "fast", True, [0.1]])
def test_a_rate_that_is_none(rate):
    with pytest.raises(ValueError) as caught:
        keras.optimizers.Adam(rate) if not isinstance(rate, str) else keras.optimizers.Adam(lr=rate)
    assert str(caught.value) == (
        "Optimizer: learning_rate must be a number from 0 upwards, a LearningRateSchedule or a function "
        f"(learning_rate={rate!r})."
    )


# ---- gradients and variables


def test_apply_gradients_and_minimize():
    w = tf.Variable([3.0], name="w")
    optimizer = keras.optimizers.SGD(0.25)
    assert int(optimizer.apply_gradients(zip([tf.constant([4.0])], [w], strict=True))) == 1
    assert w.numpy() == 2.0
    optimizer.minimize(lambda: w * w, [w])
    assert w.numpy() == 2.0 - 0.25 * 4.0
    with tf.GradientTape() as tape:
        loss = w * 2.0
    optimizer.minimize(loss, [w], tape=tape)
    assert w.numpy() == 0.5
    with pytest.raises(ValueError) as caught:
        optimizer.minimize(loss, [w])
    assert str(caught.value) == "sgd: a loss that is no function needs the tape under which it was made."


def test_a_variable_without_gradient_stays_and_is_told():
    a, b = battery.variables()
    before = b.numpy()
    optimizer = keras.optimizers.Adam()
    with pytest.warns(UserWarning, match=r"^adam: the loss does not depend on b; they stay as they are\.$"):
        optimizer.apply([tf.ones((3, 2)), None], [a, b])
    assert (b.numpy() == before).all() and (a.numpy() != battery.starts()[0]).all()
    assert len(optimizer.variables) == 2 + 4
    with pytest.raises(ValueError) as caught:
        optimizer.apply([None, None], [a, b])
    assert str(caught.value) == (
        "adam: no variable has a gradient (variables=a, b); the loss must depend on them by differentiable operations."
    )


def test_other_variables_than_those_of_the_first_step():
    a, b = battery.variables()
    optimizer = keras.optimizers.SGD()
    optimizer.apply([tf.ones((3, 2))], [a])
    with pytest.raises(ValueError) as caught:
        optimizer.apply([tf.ones(2)], [b])
    assert str(caught.value) == (
        "sgd: it was built for other variables (unknown=b); an optimizer keeps slots for the variables of its first step. "
        "Compile the model again, or make a new optimizer."
    )
    with pytest.raises(ValueError) as caught:
        optimizer.apply([tf.ones(2)], [a, b])
    assert str(caught.value) == "sgd: there must be one gradient for each variable (gradients=1, variables=2)."


def test_constraints_are_applied_after_the_update():
    variable = Variable(np.array([0.5, -2.0], "f"), constraint=keras.constraints.NonNeg())
    for apply in (lambda: None, compiled.run):
        optimizer = keras.optimizers.SGD(1.0)
        variable.assign([0.5, 2.0])
        update = lambda: optimizer.apply([tf.constant([1.0, 1.0])], [variable])  # noqa: E731
        compiled.run(update) if apply is compiled.run else update()
        assert variable.numpy().tolist() == [0.0, 1.0]


def test_what_weight_decay_leaves_alone():
    a, b = battery.variables()
    optimizer = keras.optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["b"])
    optimizer.apply([tf.zeros((3, 2)), tf.zeros(2)], [a, b])
    np.testing.assert_allclose(a.numpy(), battery.starts()[0] * 0.75, rtol=1e-6)
    assert (b.numpy() == battery.starts()[1]).all()


def test_means_over_steps_become_the_values_at_the_end():
    variable = Variable(np.zeros(1, "f"))
    optimizer = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(3):
        optimizer.apply([tf.constant([1.0])], [variable])
    assert variable.numpy() == -3.0
    optimizer.finalize_variable_values([variable])
    assert variable.numpy() == ((-1.0 * 0.5 - 2.0 * 0.5) * 0.5 - 3.0 * 0.5)


def test_values_instead_of_state():
    optimizer, (a, b) = keras.optimizers.Adam(0.1), battery.variables()
    optimizer.build([a, b])
    gradients = [tf.constant(g) for g in battery.gradients(0)]
    values, own = optimizer.stateless_apply([v.value() for v in optimizer.variables], gradients, [a.value(), b.value()])
    assert (a.numpy() == battery.starts()[0]).all() and int(optimizer.iterations) == 0
    optimizer.apply(gradients, [a, b])
    for one, other in zip([*values, *own], [a, b, *optimizer.variables], strict=True):
        battery.same(one, other, rtol=0)


def test_weights_as_arrays():
    optimizer, changed = keras.optimizers.Adam(0.1), battery.variables()
    battery.step(optimizer, changed, 0)
    other = keras.optimizers.Adam()
    other.build(changed)
    other.set_weights(optimizer.get_weights())
    assert int(other.iterations) == 1 and float(other.learning_rate) == np.float32(0.1)
    with pytest.raises(ValueError) as caught:
        other.set_weights([1.0])
    assert str(caught.value) == "adam: there must be one array for each variable (arrays=1, variables=6)."


# ---- users' optimizers


class Momentum3(keras.optimizers.Optimizer):
    """As Keras 3 has it."""

    def __init__(self, learning_rate=0.1, momentum=0.9, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        super().build(variables)
        self.speeds = [self.add_variable_from_reference(reference_variable=v, name="speed") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        speed = self.speeds[self._get_variable_index(variable)]
        self.assign(speed, speed * self.momentum - gradient * (1.0 - self.momentum))
        self.assign_add(variable, speed * learning_rate)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


class Momentum211(keras.optimizers.Optimizer):
    """As TensorFlow 2.11 to 2.15 have it."""

    def __init__(self, learning_rate=0.1, momentum=0.9, name="Momentum211", **kwargs):
        super().__init__(name, **kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.momentum = momentum

    def build(self, var_list):
        super().build(var_list)
        if hasattr(self, "_built") and getattr(self, "speeds", None):
            return
        self.speeds = [self.add_variable_from_reference(model_variable=v, variable_name="speed") for v in var_list]
        self._built = True

    def update_step(self, gradient, variable):
        rate = tf.cast(self.learning_rate, variable.dtype)
        speed = self.speeds[self._index_dict[self._var_key(variable)]]
        speed.assign(speed * self.momentum - gradient * (1.0 - self.momentum))
        variable.assign_add(speed * rate)

    def get_config(self):
        return {**super().get_config(), "learning_rate": float(self._learning_rate), "momentum": self.momentum}


class Momentum2(keras.optimizers.Optimizer):
    """As TensorFlow 2.0 to 2.10 have it."""

    def __init__(self, learning_rate=0.1, momentum=0.9, name="Momentum2", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("momentum", momentum)

    def _create_slots(self, var_list):
        for var in var_list:
            self.add_slot(var, "speed")

    def _resource_apply_dense(self, grad, var):
        dtype = var.dtype.base_dtype
        rate = self._decayed_lr(dtype)
        speed = self.get_slot(var, "speed")
        momentum = self._get_hyper("momentum", dtype)
        speed.assign(speed * momentum - (1.0 - momentum) * grad)
        var.assign_add(speed * rate)

    def get_config(self):
        return {
            **super().get_config(),
            "learning_rate": self._serialize_hyperparameter("learning_rate"),
            "decay": self._serialize_hyperparameter("decay"),
            "momentum": self._serialize_hyperparameter("momentum"),
        }


@pytest.mark.parametrize("kind", [Momentum3, Momentum211, Momentum2])
def test_a_users_optimizer_in_each_dialect(kind):
    optimizer, changed = kind(momentum=0.8), battery.variables()
    speeds, expected = [np.zeros(shape) for shape in battery.SHAPES], battery.starts()
    for at in range(3):
        battery.step(optimizer, changed, at)
        for i, gradient in enumerate(battery.gradients(at)):
            speeds[i] = speeds[i] * 0.8 - gradient * 0.2
            expected[i] = expected[i] + speeds[i] * 0.1
    for variable, value in zip(changed, expected, strict=True):
        battery.same(variable, value, rtol=1e-5)
    assert [v.name for v in optimizer.variables] == ["iteration", "learning_rate", "a_speed", "b_speed"]
    battery.check_compiled(lambda: kind(momentum=0.8))
    with keras.saving.custom_object_scope({kind.__name__: kind}):
        battery.check_round_trip(kind(learning_rate=0.3, momentum=0.7))


def test_hyperparameters_by_name():
    optimizer, changed = Momentum2(), battery.variables()
    battery.step(optimizer, changed, 0)
    assert optimizer.get_slot_names() == ["speed"] and float(optimizer.momentum) == np.float32(0.9)
    optimizer.momentum = 0.5
    assert optimizer.get_config()["momentum"] == 0.5
    with pytest.raises(AttributeError, match="'Momentum2' object has no attribute 'speeds'"):
        optimizer.speeds


def test_a_decay_that_is_set_by_name():
    class Decayed(Momentum2):
        def __init__(self):
            super().__init__(learning_rate=1.0, momentum=0.0)
            self._set_hyper("decay", 1.0)

    optimizer, variable = Decayed(), Variable(np.zeros(1, "f"))
    for _ in range(2):
        optimizer.apply([tf.constant([1.0])], [variable])
    assert variable.numpy() == -(1 + 1 / 2) and optimizer.get_config()["decay"] == 1.0


def test_an_old_optimizer_that_takes_what_updates_share():
    class Shared(keras.optimizers.Optimizer):
        def __init__(self):
            super().__init__("Shared")
            self._set_hyper("learning_rate", 0.5)

        def _resource_apply_dense(self, grad, var, apply_state=None):
            shared = apply_state[(var.device, var.dtype.base_dtype)]
            var.assign_sub(grad * shared["lr_t"])

    variable = Variable(np.ones(1, "f"))
    Shared().apply_gradients([(tf.constant([1.0]), variable)])
    assert variable.numpy() == 0.5


def test_an_optimizer_without_update_step():
    with pytest.raises(NotImplementedError) as caught:
        keras.optimizers.Optimizer(0.1).apply([tf.ones(1)], [Variable(np.ones(1, "f"))])
    assert str(caught.value) == "Optimizer must write update_step(self, gradient, variable, learning_rate)."


@pytest.mark.parametrize(
    ("settings", "kind", "text"),
    [
        ({"rate": 0.1}, TypeError, "Adam() got unexpected arguments 'rate'."),
        (
            {"clipnorm": 1.0, "clipvalue": 2.0},
            ValueError,
            "Optimizer: only one way of clipping can be given (clipnorm=1.0, clipvalue=2.0).",
        ),
        ({"clipnorm": -1.0}, ValueError, "Optimizer: clipnorm must be above 0 (clipnorm=-1.0)."),
        (
            {"use_ema": True, "ema_momentum": 2.0},
            ValueError,
            "Optimizer: ema_momentum must be between 0 and 1 (ema_momentum=2.0).",
        ),
        (
            {"use_ema": True, "ema_overwrite_frequency": 0},
            ValueError,
            "Optimizer: ema_overwrite_frequency must be a whole number from 1 upwards (ema_overwrite_frequency=0).",
        ),
        (
            {"gradient_accumulation_steps": 1},
            ValueError,
            "Optimizer: gradient_accumulation_steps must be a whole number from 2 upwards (given=1).",
        ),
    ],
)
def test_settings_that_make_no_sense(settings, kind, text):
    with pytest.raises(kind) as caught:
        keras.optimizers.Adam(**settings)
    assert str(caught.value) == text


# ---- schedules

SCHEDULES = [
    ("ExponentialDecay", (0.1, 10, 0.5)),
    ("ExponentialDecay", (0.1, 10, 0.5, True)),
    ("InverseTimeDecay", (0.1, 10, 0.5)),
    ("InverseTimeDecay", (0.1, 10, 0.5, True)),
    ("PiecewiseConstantDecay", ([5, 10], [0.3, 0.2, 0.1])),
    ("PolynomialDecay", (0.1, 10)),
    ("PolynomialDecay", (0.1, 10, 0.01, 2.0, True)),
    ("CosineDecay", (0.1, 10)),
    ("CosineDecay", (0.1, 10, 0.1, "x", 0.3, 4)),
    ("CosineDecayRestarts", (0.1, 5)),
    ("CosineDecayRestarts", (0.1, 5, 1.0, 0.5, 0.1)),
]


def test_every_built_in_schedule_is_tried():
    assert set(registry.builtins("schedule")) == {"LearningRateSchedule", *(name for name, _ in SCHEDULES)}


@pytest.mark.parametrize(("name", "arguments"), SCHEDULES)
def test_schedules_against_keras(name, arguments):
    real = reference.keras()
    ours, theirs = getattr(schedules, name)(*arguments), getattr(real.optimizers.schedules, name)(*arguments)
    assert ours.get_config() == theirs.get_config()
    again = registry.deserialize_keras_object(registry.serialize_keras_object(ours))
    for at in range(0, 40, 3):
        rate = ours(tf.constant(at, tf.int64))
        assert rate.dtype.name == "float32" and tuple(rate.shape) == ()
        np.testing.assert_allclose(np.asarray(rate), np.asarray(theirs(at)), rtol=3e-6, atol=1e-8)
        assert np.asarray(again(at)) == np.asarray(rate)
    np.testing.assert_allclose(compiled.run(ours, np.int64(7)), np.asarray(ours(7)), rtol=2e-6)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]),
            "PiecewiseConstantDecay: there must be one value more than boundaries (boundaries=2, values=2).",
        ),
        (
            lambda: schedules.ExponentialDecay(0.1, 0, 0.5),
            "ExponentialDecay: decay_steps must be above 0 (decay_steps=0).",
        ),
    ],
)
def test_schedules_that_make_no_sense(make, text):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == text


def test_a_users_schedule():
    class Halving(schedules.LearningRateSchedule):
        def __init__(self, start):
            self.start = start

        def __call__(self, step):
            return self.start / (1.0 + tf.cast(step, tf.float32))

        def get_config(self):
            return {"start": self.start}

    optimizer = keras.optimizers.SGD(Halving(1.0))
    variable = Variable(np.zeros(1, "f"))
    for _ in range(2):
        compiled.run(lambda: optimizer.apply([tf.constant([1.0])], [variable]))
    assert variable.numpy() == -1.5
    with keras.saving.custom_object_scope({"Halving": Halving}):
        again = registry.deserialize_keras_object(registry.serialize_keras_object(optimizer))
    assert again._learning_rate.start == 1.0
    with pytest.raises(NotImplementedError) as caught:
        keras.optimizers.SGD(schedules.LearningRateSchedule()).get_config()
    assert str(caught.value) == "LearningRateSchedule must write get_config(self), so that it can be saved."
