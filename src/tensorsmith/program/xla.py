"""The border to XLA below JAX: compile with options of our own, serialize, load.

JAX offers no public way to set them for one program, so this file uses jaxlib's own interface. Every
function here may fail on another version of it: callers then do the same through `jax.jit`.
"""

from __future__ import annotations

from typing import Any

# A loop whose state and step are small is made one kernel: starting some forty kernels a step costs
# more than the arithmetic in them (2.3 ms an epoch of the chapter's model against 1.7). The same
# options make large steps several times slower, so they are chosen per program (`epochs.py`).
SMALL_LOOP = "small loop"


class Executable:
    """A compiled program: JAX arrays in, JAX arrays out."""

    __slots__ = ("jax", "loaded")

    def __init__(self, loaded: Any, jax: Any) -> None:
        self.loaded, self.jax = loaded, jax

    def __call__(self, *arrays: Any) -> list[Any]:
        kind, put = self.jax.Array, self.jax.device_put
        with self.jax.enable_x64(True):
            placed = [a if isinstance(a, kind) else put(a) for a in arrays]
        results = self.loaded.execute_sharded(placed)
        return [shards[0] for shards in results.disassemble_into_single_device_arrays()]

    def serialize(self) -> bytes:
        return self.loaded.serialize()


def compile_lowered(lowered: Any, options: tuple[str, ...], jax: Any) -> Executable:
    """Compiles what `jax.jit(f, keep_unused=True).lower(...)` gave, for one CPU device."""
    from jax._src import compiler
    from jaxlib import _jax, xla_client  # pyright: ignore[reportAttributeAccessIssue]

    settings = compiler.get_compile_options(num_replicas=1, num_partitions=1)
    if SMALL_LOOP in options:
        extra = _field(1, b"xla_cpu_small_while_loop_byte_threshold") + _field(2, b"1000000000000")
        message = settings.SerializeAsString() + _field(3, _field(3, _field(500, extra)))
        settings = xla_client.CompileOptions.ParseFromString(message)
        settings.env_option_overrides = [("xla_cpu_experimental_ynn_fusion_type", "")]
    client = jax.devices("cpu")[0].client
    text = str(lowered.compiler_ir("stablehlo"))
    devices = _jax.DeviceList(tuple(client.devices()[:1]))
    return Executable(client.compile_and_load(text.encode(), devices, settings), jax)


def synchronous_device() -> Any:
    """A CPU device of our own, on which a program runs on the thread that calls it.

    JAX's CPU client hands each program to another thread: 15 to 30 µs for a step that computes for 8. Whether a client does
    so is fixed when it is made, and JAX's belongs to the user.
    """
    from jaxlib import xla_client

    return xla_client.make_cpu_client(asynchronous=False).devices()[0]


def load(data: bytes, jax: Any) -> Executable:
    """The executable that `serialize` gave, on this machine."""
    from jaxlib import _jax, xla_client  # pyright: ignore[reportAttributeAccessIssue]

    client = jax.devices("cpu")[0].client
    devices = _jax.DeviceList(tuple(client.devices()[:1]))
    return Executable(client.deserialize_executable(data, devices, xla_client.CompileOptions()), jax)


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol-buffer message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])
