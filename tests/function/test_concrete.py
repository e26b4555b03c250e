"""Traced forms: how they are called, what they tell of themselves, and the graph that they list."""

from __future__ import annotations

import pytest

import tensorsmith as tf

Spec = tf.TensorSpec


@tf.function
def cube(x):
    return x**3


def listed(concrete) -> list[tuple]:
    return [
        (op.name, op.type, [t.name for t in op.inputs], [t.name for t in op.outputs])
        for op in concrete.graph.get_operations()
    ]


def test_the_graph_of_the_cube() -> None:
    graph = cube.get_concrete_function(tf.constant(2.0)).graph
    operations = graph.get_operations()
    assert repr(operations) == (
        "[<tf.Operation 'x' type=Placeholder>, <tf.Operation 'pow/y' type=Const>, <tf.Operation 'pow' type=Pow>, "
        "<tf.Operation 'Identity' type=Identity>]"
    )
    power = operations[2]
    assert repr(list(power.inputs)) == (
        "[<tf.Tensor 'x:0' shape=() dtype=float32>, <tf.Tensor 'pow/y:0' shape=() dtype=float32>]"
    )
    assert repr(power.outputs) == "[<tf.Tensor 'pow:0' shape=() dtype=float32>]"
    assert graph.get_operation_by_name("x") is operations[0]
    assert graph.get_tensor_by_name("Identity:0") is operations[3].outputs[0]
    assert power.inputs[0].op is operations[0] and power.inputs[0].consumers() == [power]
    assert power.node.op.name == "pow" and power.get_attr("T") == tf.float32


def test_names_that_are_not_there() -> None:
    graph = cube.get_concrete_function(tf.constant(2.0)).graph
    with pytest.raises(
        KeyError, match=r"The name 'square' refers to an Operation not in the graph. It holds: x, pow/y"
    ):
        graph.get_operation_by_name("square")
    with pytest.raises(ValueError, match=r"is no name of a tensor"):
        graph.get_tensor_by_name("pow")
    with pytest.raises(KeyError, match="refers to a Tensor which does not exist"):
        graph.get_tensor_by_name("pow:1")


def test_the_graph_as_data() -> None:
    concrete = cube.get_concrete_function(tf.constant(2.0))
    nodes = concrete.graph.as_graph_def().node
    assert [(n.name, n.op, n.input) for n in nodes] == [
        ("x", "Placeholder", []), ("pow/y", "Const", []), ("pow", "Pow", ["x", "pow/y"]), ("Identity", "Identity", ["pow"])
    ]  # fmt: skip
    text = str(concrete.graph.as_graph_def())
    assert 'node {\n  name: "pow"\n  op: "Pow"\n  input: "x"\n  input: "pow/y"\n' in text
    assert "float_val: 3\n" in text and text.count("node {") == 4
    assert str(concrete.function_def.signature) == (
        'name: "__inference_cube"\ninput_arg {\n  name: "x"\n  type: DT_FLOAT\n}\n'
        'output_arg {\n  name: "identity"\n  type: DT_FLOAT\n}\n'
    )


def test_operations_are_named_as_tensorflow_names_them() -> None:
    @tf.function
    def f(x, w):
        with tf.name_scope("block"):
            y = tf.matmul(x, w) + 1.0
        z = tf.nn.relu(y)
        if tf.reduce_sum(z) > 0.0:
            z = z + 1.0
        tf.debugging.assert_positive(x)
        return {"b": tf.concat([z, z], 0), "a": -z}

    assert listed(f.get_concrete_function(Spec([None, 2]), Spec([2, 2]))) == [
        ("x", "Placeholder", [], ["x:0"]), ("w", "Placeholder", [], ["w:0"]),
        ("block/MatMul", "MatMul", ["x:0", "w:0"], ["block/MatMul:0"]),
        ("block/add/y", "Const", [], ["block/add/y:0"]),
        ("block/add", "AddV2", ["block/MatMul:0", "block/add/y:0"], ["block/add:0"]),
        ("Relu", "Relu", ["block/add:0"], ["Relu:0"]), ("Sum", "Sum", ["Relu:0"], ["Sum:0"]),
        ("Greater/y", "Const", [], ["Greater/y:0"]), ("Greater", "Greater", ["Sum:0", "Greater/y:0"], ["Greater:0"]),
        ("cond", "If", ["Greater:0", "Relu:0"], ["cond:0"]),
        ("Greater_1/y", "Const", [], ["Greater_1/y:0"]),
        ("Greater_1", "Greater", ["x:0", "Greater_1/y:0"], ["Greater_1:0"]),
        ("Assert", "Assert", ["Greater_1:0", "x:0"], []),
        ("concat", "ConcatV2", ["cond:0", "cond:0"], ["concat:0"]), ("Neg", "Neg", ["cond:0"], ["Neg:0"]),
        ("Identity", "Identity", ["Neg:0"], ["Identity:0"]), ("Identity_1", "Identity", ["concat:0"], ["Identity_1:0"]),
    ]  # fmt: skip


def test_variables_are_read_where_they_are_used() -> None:
    v, w = tf.Variable(2.0, name="v"), tf.Variable(1.0, trainable=False, name="w")

    f = tf.function(lambda x: v * w.assign(x))
    concrete = f.get_concrete_function(Spec([]))
    assert listed(concrete)[:3] == [
        ("x", "Placeholder", [], ["x:0"]),
        ("mul/ReadVariableOp/resource", "Placeholder", [], ["mul/ReadVariableOp/resource:0"]),
        ("mul/ReadVariableOp", "ReadVariableOp", ["mul/ReadVariableOp/resource:0"], ["mul/ReadVariableOp:0"]),
    ]
    assert [op.type for op in concrete.graph.get_operations()[3:]] == [
        "Mul",
        "Placeholder",
        "AssignVariableOp",
        "Identity",
    ]
    assert set(map(id, concrete.variables)) == {id(v), id(w)} == set(map(id, concrete.captured_inputs))
    assert concrete.trainable_variables == (v,) and concrete.graph.trainable_variables == (v,)
    assert [t.name for t in concrete.inputs[:2]] == ["x:0", "mul/ReadVariableOp/resource:0"]
    assert [t.name for t in concrete.outputs] == ["Identity:0"]


def test_checks_and_prints_are_no_variables() -> None:
    concrete = tf.function(lambda x: tf.debugging.assert_positive(x)).get_concrete_function(Spec([]))
    assert concrete.variables == () and concrete.captured_inputs == [] and concrete.graph.variables == ()


def test_printing_the_graph_shows_the_program() -> None:
    concrete = cube.get_concrete_function(Spec([None]))
    assert str(concrete.graph) == str(concrete.program)


# ---- calls


CALLS = tf.function(lambda x, y: x + y)


def test_a_traced_form_takes_its_arguments_in_every_way() -> None:
    concrete = CALLS.get_concrete_function(Spec([None], name="u"), 2.0)
    x = tf.constant([1.0])
    for result in (concrete(x), concrete(x=x), concrete(u=x), concrete(x, 2.0), concrete([1.0]), concrete(x, y=2.0)):
        assert result.numpy().tolist() == [3.0]
    nested = tf.function(lambda d, e: d["a"] - e[1]).get_concrete_function({"a": Spec([])}, [1, Spec([])])
    assert nested({"a": 5.0}, [1, 3.0]).numpy() == nested(5.0, 3.0).numpy() == nested(d_a=5.0, e_1=3.0).numpy() == 2.0


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        (
            ([1.0], 3.0),
            {},
            r"the argument 'y' is not the value that it was traced with \(given=3.0, signature=\(x: Tens",
        ),
        ((), {}, r"missing a required argument: 'x'; it was traced for \(x: TensorSpec"),
        (([1.0], 2.0, 3.0), {}, "too many positional arguments"),
        ((tf.constant([1]),), {}, r"the argument 'x' does not fit the signature \(given=int32\(1,\)"),
        ((tf.constant(1.0),), {}, r"the argument 'x' does not fit the signature \(given=float32\(\)"),
        (([1.0],), {"z": 1}, "got an unexpected keyword argument 'z'"),
    ],
)
def test_a_traced_form_refuses_what_it_was_not_traced_for(args: tuple, kwargs: dict, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        CALLS.get_concrete_function(Spec([None], name="u"), 2.0)(*args, **kwargs)


def test_what_a_traced_form_tells() -> None:
    f = tf.function(lambda x, k: {"o": x * k, "n": [3, None, "a"]})
    concrete = f.get_concrete_function(Spec([2], name="u"), 2.0)
    assert concrete.structured_input_signature == ((Spec([2]), 2.0), {})
    outputs = concrete.structured_outputs
    assert outputs["o"] == Spec([2]) and outputs["n"] == [Spec([], tf.int32), None, Spec([], tf.string)]
    assert concrete.output_shapes == {"o": (2,), "n": [(), None, ()]}
    assert concrete.output_dtypes == {"o": tf.float32, "n": [tf.int32, None, tf.string]}
    assert repr(concrete).startswith(
        "<ConcreteFunction <lambda>(x: TensorSpec(shape=(2,), dtype=tf.float32, name='u'),"
    )
    assert f.pretty_printed_concrete_signatures().splitlines()[:3] == [
        "Input Parameters:", "  x: TensorSpec(shape=(2,), dtype=tf.float32, name='u')", "  k: Literal[2.0]"
    ]  # fmt: skip
    assert f.get_initialization_function(tf.ones([2]), 2.0)() is None and f.experimental_get_tracing_count() == 1
    assert f.python_function(2, 3)["o"] == 6


def test_a_variable_is_listed_as_a_resource_under_the_name_of_its_parameter() -> None:
    counter, factor = tf.Variable(0.0), tf.Variable(2.0)

    @tf.function
    def increment(counter, by):
        return counter.assign_add(by * factor)

    concrete = increment.get_concrete_function(counter, tf.constant(1.0))
    given = {a.name: a.type for a in concrete.function_def.signature.input_arg}
    assert given == {"by": "DT_FLOAT", "counter": "DT_RESOURCE", "mul_readvariableop_resource": "DT_RESOURCE"}
    resource = concrete.graph.get_tensor_by_name("counter:0")
    assert resource.dtype == tf.resource
    assert type(resource).__name__ == "SymbolicTensor"
