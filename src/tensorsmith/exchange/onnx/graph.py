"""An ONNX graph under construction: nodes, initializers, names, and sizes that are known only when it runs."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.exchange.inference import needs

OPSET, IR_VERSION = 18, 9


_CHOSEN = frozenset(np.dtype(name) for name in ("bool", "uint8", "int32", "int64", "float32", "float64"))


class NotInOnnx(Exception):
    """Something that has no form in ONNX; says what."""


class Shared:
    """What a graph and those inside it have in common: names, initializers, and where open sizes are found."""

    def __init__(self) -> None:
        self.onnx = needs("onnx", 'export(..., "m.onnx")')
        self.names: dict[str, int] = {}
        self.initializers: list[Any] = []
        self.constants: dict[Any, str] = {}
        # {size: (input, axis)}
        self.sizes: dict[str, tuple[str, int]] = {}


class Builder:
    """Adds nodes to one graph. `label` is what the next nodes are part of, "dense/matmul"."""

    def __init__(self, shared: Shared, outer: Builder | None = None) -> None:
        self.shared, self.outer = shared, outer
        self.helper = shared.onnx.helper
        self.nodes: list[Any] = []
        self.label = outer.label if outer is not None else ""
        self._sizes: dict[str, str] = {}

    def name(self, base: str) -> str:
        """A name that is new in the whole model."""
        count = self.shared.names.get(base, 0)
        self.shared.names[base] = count + 1
        if not count:
            return base
        return self.name(f"{base}_{count}")

    def add(self, kind: str, *inputs: str, **settings: Any) -> str:
        """A node with one result; the result's name."""
        return self.many(kind, list(inputs), 1, **settings)[0]

    def many(self, kind: str, inputs: list[str], count: int, **settings: Any) -> list[str]:
        """A node with `count` results."""
        base = f"{self.label}/{kind}" if self.label else kind
        outputs = [self.name(base) for _ in range(count)]
        kept = {key: value for key, value in settings.items() if value is not None}
        self.nodes.append(self.helper.make_node(kind, inputs, outputs, name=outputs[0] if outputs else base, **kept))
        return outputs

    def constant(self, value: Any, dtype: Any = None, name: str = "") -> str:
        """An initializer; equal ones are kept once."""
        array = np.ascontiguousarray(value, dtype) if np.ndim(value) else np.asarray(value, dtype)
        self.type_of(array.dtype)
        key = array.dtype.str, array.shape, array.tobytes(), name
        found = self.shared.constants.get(key)
        if found is None:
            found = self.shared.constants[key] = self.name(name or "constant")
            self.shared.initializers.append(self.shared.onnx.numpy_helper.from_array(array, found))
        return found

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def like(self, value: Any, dtype: Any) -> str:
        """A scalar of this dtype."""
        return self.constant(np.asarray(value, dtype))

    def type_of(self, dtype: Any) -> int:
        """ONNX's number of a dtype. Raises NotInOnnx for one that it has not."""
        dtype = np.dtype(dtype)
        if dtype.kind not in "fiub" and dtype.name != "bfloat16":
            raise NotInOnnx(f"values of {'texts' if dtype == object else dtype.name}")
        return self.helper.np_dtype_to_tensor_dtype(dtype)

    def where(self, test: str, then: str, otherwise: str, dtype: Any) -> str:
        """`Where`, which onnxruntime has for few dtypes: the others go through a wider one."""
        dtype = np.dtype(dtype)
        if dtype in _CHOSEN:
            return self.add("Where", test, then, otherwise)
        wide = self.type_of(np.float32 if dtype.kind not in "iu" else np.int64)
        parts = [self.add("Cast", each, to=wide) for each in (then, otherwise)]
        return self.add("Cast", self.add("Where", test, *parts), to=self.type_of(dtype))

    # ---- sizes

    def shape(self, sizes: Any) -> str:
        """A vector of sizes (int64): a constant, or put together where some are known only when it runs."""
        if all(isinstance(size, (int, np.integer)) for size in sizes):
            return self.ints(*map(int, sizes))
        return self.add("Concat", *[self.size(size) for size in sizes], axis=0)

    def size(self, size: Any) -> str:
        """One size as a vector of one."""
        if isinstance(size, (int, np.integer)):
            return self.ints(int(size))
        text = str(size)
        builder: Builder | None = self
        while builder is not None:
            if text in builder._sizes:
                return builder._sizes[text]
            builder = builder.outer
        if text in self.shared.sizes:
            source, axis = self.shared.sizes[text]
            found = self.add("Shape", source, start=axis, end=axis + 1)
        else:
            found = self._computed(ast.parse(text, mode="eval").body)
        self._sizes[text] = found
        return found

    def _computed(self, part: ast.expr) -> str:
        """An expression in open sizes, as JAX writes it: `2*batch + 1`, `floordiv(batch, 2)`."""
        kinds = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Pow: "Pow"}
        calls = {"floordiv": "Div", "mod": "Mod", "max": "Max", "min": "Min"}
        if isinstance(part, ast.Constant):
            return self.ints(int(part.value))  # type: ignore[arg-type]
        if isinstance(part, ast.Name) and part.id in self.shared.sizes:
            return self.size(part.id)
        if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub):
            return self.add("Neg", self._computed(part.operand))
        if isinstance(part, ast.BinOp) and type(part.op) in kinds:
            return self.add(kinds[type(part.op)], self._computed(part.left), self._computed(part.right))
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in calls:
            return self.add(calls[part.func.id], *map(self._computed, part.args))
        raise NotInOnnx(f"the size {ast.unparse(part)}")

    # ---- graphs in graphs

    def inside(self) -> Builder:
        """A graph inside a node of this one: it sees all that this one has."""
        return Builder(self.shared, self)

    def graph(self, name: str, inputs: list[tuple[Any, ...]], outputs: list[tuple[str, Any]]) -> Any:
        """The finished inner graph; inputs as (name, dtype) or (name, dtype, shape), outputs as (name, dtype)."""
        # an output must be made in its own graph and have a name of its own
        named = [(self.add("Identity", source), dtype) for source, dtype in outputs]

        def info(name: str, dtype: Any, shape: Any = None) -> Any:
            return self.helper.make_tensor_value_info(name, self.type_of(dtype), shape)

        return self.helper.make_graph(
            self.nodes, self.name(name), [info(*each) for each in inputs], [info(*each) for each in named]
        )


def refused(op: Any, wrong: str, where: Any) -> ValueError:
    at = f" at {where}" if where is not None else ""
    return ValueError(
        explain(
            "export to ONNX",
            f"{op!r}{at} has no form in ONNX, which lacks {wrong}",
            way_out="tf.saved_model.save and the format 'stablehlo' hold every program that XLA runs.",
        )
    )
