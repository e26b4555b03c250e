"""The bytes of JPEG, PNG, GIF, BMP and WebP files as arrays and back, by Pillow: every file is taken as hostile."""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, OpError, explain
from tensorsmith.ops import image_png

# bytes that a decoded image, all its frames together, may have
LARGEST = 2**29

# {kind: (first bytes, the module of Pillow that reads it, its class there)}
_KINDS: dict[str, tuple[tuple[bytes, ...], str, str]] = {
    "jpeg": ((b"\xff\xd8\xff",), "JpegImagePlugin", "JpegImageFile"),
    "png": ((image_png.SIGNATURE,), "PngImagePlugin", "PngImageFile"),
    "gif": ((b"GIF87a", b"GIF89a"), "GifImagePlugin", "GifImageFile"),
    "bmp": ((b"BM",), "BmpImagePlugin", "BmpImageFile"),
    "webp": ((b"RIFF",), "WebPImagePlugin", "WebPImageFile"),
}
_NAMES = {"jpeg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP", "webp": "WebP"}


def pillow(module: str, who: str) -> Any:
    """A module of Pillow; ModuleNotFoundError that says how to get it."""
    try:
        return importlib.import_module(f"PIL.{module}")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != "PIL":
            raise
        raise ModuleNotFoundError(
            f"'PIL' is needed for tf.{who}: pip install \"tensorsmith[image]\"", name="PIL"
        ) from None


def kind_of(data: bytes) -> str | None:
    """The kind of file, by its first bytes."""
    for kind, (starts, _, _) in _KINDS.items():
        if data.startswith(starts) and (kind != "webp" or data[8:12] == b"WEBP"):
            return kind
    return None


def shown(data: bytes) -> str:
    """The first bytes of a file, for messages."""
    return f"{len(data)} bytes, {data[:8]!r}{'...' if len(data) > 8 else ''}"


def refused(who: str, wrong: str, data: bytes, rule: str = "") -> InvalidArgumentError:
    return InvalidArgumentError(explain(who, wrong, {"contents": shown(data)}, rule))


def opened(who: str, data: bytes, kinds: tuple[str, ...]) -> tuple[str, Any]:
    """(kind, the image of Pillow, of which no pixel is read yet); InvalidArgumentError for other kinds and bad headers."""
    kind = kind_of(data)
    if kind is None or kind not in kinds:
        wanted = " or ".join(_NAMES[each] for each in kinds)
        what = "of no kind that is known" if kind is None else f"a {_NAMES[kind]} file"
        raise refused(who, f"the contents are {what}", data, f"they must be those of a {wanted} file")
    _, module, name = _KINDS[kind]
    reader = getattr(pillow(module, who), name)
    # not Image.open: that reads the sizes that it warns of, and the kinds that it tries, from settings of the process
    return kind, guarded(who, data, lambda: reader(io.BytesIO(data)))


def guarded(who: str, data: bytes, function: Any) -> Any:
    """What the function gives; whatever Pillow raises on the file is InvalidArgumentError."""
    try:
        return function()
    except OpError:
        raise
    except Exception as error:
        text = str(error)[:200] or type(error).__name__
        raise refused(who, f"the file is damaged: {text}", data) from error


def bounded(who: str, data: bytes, height: int, width: int, deep: int) -> None:
    """InvalidArgumentError for an image that would need too much memory: a small file can claim any size."""
    if height * width * deep > LARGEST:
        raise refused(
            who,
            f"the image is too large: {height} x {width} pixels of {deep} bytes",
            data,
            f"at most {LARGEST} bytes are decoded",
        )


def _channels(kind: str, image: Any, wanted: int) -> int:
    """How many channels the result has: as wanted, or as there are."""
    if wanted:
        return wanted
    mode = image.mode
    if mode in ("1", "L", "I;16", "I", "I;16B"):
        return 1
    if mode == "LA":
        return 2
    if mode == "P":
        return 4 if kind == "png" and "transparency" in image.info else 3
    return 4 if mode in ("RGBA", "PA") else 3


_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def _array(image: Any, channels: int) -> np.ndarray:
    """[H, W, C], uint8."""
    if image.mode.startswith("I"):
        # grey of 16 bits: of each the upper half
        image = pillow("Image", "image").fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    if channels in (1, 3) and image.mode in ("P", "PA"):
        # in two steps, as one alone warns of what a palette knows of alpha
        image = image.convert("RGBA")
    if image.mode != _MODES[channels]:
        image = image.convert(_MODES[channels])
    found = np.array(image)
    return found[..., None] if found.ndim == 2 else found


def still(
    who: str, data: bytes, channels: int, dtype: np.dtype, jpeg_settings: dict[str, Any] | None = None
) -> np.ndarray:
    """[H, W, C] of a JPEG or PNG file, or of a GIF file of one frame: files often have the wrong ending."""
    kind = kind_of(data)
    if kind == "png":
        return png(who, data, channels, dtype)
    if kind == "gif":
        if channels not in (0, 3):
            raise InvalidArgumentError(explain(who, "a GIF file has 3 channels", {"channels": channels}))
        found = frames(who, "gif", data, each=dtype.itemsize)
        if len(found) > 1:
            raise refused(who, f"the GIF file has {len(found)} frames", data, "use tf.image.decode_gif")
        return _deep(found[0], dtype)
    if kind != "jpeg":
        opened(who, data, ("jpeg", "png", "gif"))
    return _deep(jpeg(who, data, channels, each=dtype.itemsize, **(jpeg_settings or {})), dtype)


def _deep(found: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Pixels of 8 bits in another dtype: the upper halves of uint16, or from 0 to 1."""
    if dtype == np.uint16:
        return found.astype(dtype) << 8
    return found * np.float32(1 / 255) if dtype == np.float32 else found


def any_kind(who: str, data: bytes, channels: int, dtype: np.dtype, expand: bool) -> np.ndarray:
    """[H, W, C], or [frames, H, W, C] of files that move, if `expand`."""
    kind = kind_of(data)
    if kind == "png" or kind == "jpeg":
        return still(who, data, channels, dtype)
    if kind == "bmp":
        return _deep(plain(who, "bmp", data, channels, dtype.itemsize), dtype)
    if kind is None:
        opened(who, data, tuple(_KINDS))
    assert kind is not None
    if kind == "gif" and channels not in (0, 3):
        raise InvalidArgumentError(explain(who, "a GIF file has 3 channels", {"channels": channels}))
    found = _deep(frames(who, kind, data, 3 if kind == "gif" else channels, not expand, dtype.itemsize), dtype)
    return found if expand else found[0]


def jpeg(
    who: str, data: bytes, channels: int, ratio: int = 1, truncated: bool = False, window: tuple[int, ...] | None = None,
    each: int = 1,
) -> np.ndarray:  # fmt: skip
    """[H, W, C] of a JPEG file, or the window (top, left, height, width) of it; each pixel will take `each` bytes."""
    # an end where there was none: what is missing is grey
    _, image = opened(who, data + b"\xff\xd9" if truncated else data, ("jpeg",))
    many = _channels("jpeg", image, channels)
    width, height = image.size
    bounded(who, data, -(-height // ratio), -(-width // ratio), max(many, 3) * each)
    if ratio > 1 or many == 1:
        image.draft(
            "L" if many == 1 and image.mode == "RGB" else image.mode, (max(width // ratio, 1), max(height // ratio, 1))
        )
    found = guarded(who, data, lambda: _array(image, many))
    if window is None:
        return found
    top, left, high, wide = window
    if min(top, left) < 0 or min(high, wide) < 1 or top + high > found.shape[0] or left + wide > found.shape[1]:
        raise InvalidArgumentError(
            explain(who, "the window does not lie within the image", {"crop_window": window, "image": found.shape})
        )
    return np.ascontiguousarray(found[top : top + high, left : left + wide])


def png(who: str, data: bytes, channels: int, dtype: np.dtype, each: int = 0) -> np.ndarray:
    """[H, W, C] of a PNG file, uint8, uint16, or float32 from 0 to 1."""
    if dtype == np.float32:
        wide = image_png.is_wide(data)
        found = png(who, data, channels, np.dtype("uint16" if wide else "uint8"), 4)
        return found * np.float32(1 / (65535 if wide else 255))
    if image_png.is_wide(data) and dtype == np.uint16:
        height, width, many = guarded(who, data, lambda: image_png.header(data))
        bounded(who, data, height, width, max(2, each) * max(many, channels))
        return _as_channels(guarded(who, data, lambda: image_png.read(data)), channels or many)
    _, image = opened(who, data, ("png",))
    # Pillow makes RGBA of grey and alpha of 16 bits
    many = channels or (image_png.channels(data) if image_png.is_wide(data) else _channels("png", image, channels))
    bounded(who, data, image.size[1], image.size[0], max(many, 4) * max(dtype.itemsize, each))
    found = guarded(who, data, lambda: _array(image, many))
    return found.astype(dtype) * dtype.type(257) if dtype == np.uint16 else found


def _as_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """uint16 [H, W, C] with another number of channels."""
    have = image.shape[-1]
    if have == channels:
        return image
    colour = image[..., : have - (have in (2, 4))]
    alpha = image[..., -1:] if have in (2, 4) else np.full_like(image[..., :1], 65535)
    if channels < 3 and colour.shape[-1] == 3:
        colour = np.rint(colour @ np.array([0.299, 0.587, 0.114]))[..., None].astype(np.uint16)
    if channels > 2 and colour.shape[-1] == 1:
        colour = np.repeat(colour, 3, -1)
    return np.concatenate([colour, alpha], -1) if channels in (2, 4) else colour


def plain(who: str, kind: str, data: bytes, channels: int, each: int = 1) -> np.ndarray:
    """[H, W, C] of a BMP file, or of the first picture of a WebP file."""
    _, image = opened(who, data, (kind,))
    many = _channels(kind, image, channels)
    bounded(who, data, image.size[1], image.size[0], max(many, 4) * each)
    return guarded(who, data, lambda: _array(image, many))


def frames(who: str, kind: str, data: bytes, channels: int = 3, first: bool = False, each: int = 1) -> np.ndarray:
    """[frames, H, W, C] of a GIF or WebP file; of its first frame alone [1, H, W, C]."""
    _, image = opened(who, data, (kind,))
    width, height = image.size
    many = _channels(kind, image, channels)
    bounded(who, data, height, width, 4 * each)
    count = 1 if first else guarded(who, data, lambda: getattr(image, "n_frames", 1))
    bounded(who, data, height, width, many * count * each)

    def read() -> np.ndarray:
        found = np.empty((count, height, width, many), np.uint8)
        for at in range(count):
            image.seek(at)
            found[at] = _array(image, many)
        return found

    return guarded(who, data, read)


def jpeg_shape(who: str, data: bytes) -> tuple[int, int, int]:
    """(height, width, channels) by the header alone."""
    _, image = opened(who, data, ("jpeg",))
    return image.size[1], image.size[0], {"L": 1, "CMYK": 4}.get(image.mode, 3)


# ---- written


def _picture(image: np.ndarray, who: str) -> Any:
    return pillow("Image", who).fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def jpeg_bytes(who: str, image: np.ndarray, **settings: Any) -> bytes:
    """The JPEG file of uint8 [H, W, 1 or 3]."""
    pillow("JpegImagePlugin", who)
    file = io.BytesIO()
    _picture(image, who).save(file, "JPEG", **settings)
    return file.getvalue()


def png_bytes(who: str, image: np.ndarray, compression: int) -> bytes:
    """The PNG file of uint8 or uint16 [H, W, 1 to 4]."""
    if image.dtype == np.uint16:
        return image_png.written(image, compression)
    pillow("PngImagePlugin", who)
    file = io.BytesIO()
    _picture(image, who).save(file, "PNG", compress_level=compression)
    return file.getvalue()
