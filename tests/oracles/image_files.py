"""Image files, written by hand or of pictures that no compression changes."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.support.spine import Draw, Row

d = Draw(53)
VALUES = "the size of an image hangs on its bytes"
UINT8, UINT16, FLOAT32 = np.dtype("uint8"), np.dtype("uint16"), np.dtype("float32")


def png(image):
    """Every line as it is, without a filter."""
    height, width, channels = image.shape
    lines = image.astype(f">u{image.itemsize}").tobytes()
    step = len(lines) // height
    raw = b"".join(b"\0" + lines[i * step : (i + 1) * step] for i in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8 * image.itemsize, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    found = b"\x89PNG\r\n\x1a\n"
    for name, body in parts:
        found += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return found


def bmp(image):
    """Three channels, the lowest line first, blue before green before red, lines filled up to four bytes."""
    height, width, _ = image.shape
    lines = b"".join(line[:, ::-1].tobytes() + b"\0" * (-3 * width % 4) for line in image[::-1])
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(lines), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(lines), 0, 0, 14 + len(header)) + header + lines


def by_pillow(pictures, kind, **settings):
    file = io.BytesIO()
    first, *rest = [Image.fromarray(picture) for picture in pictures]
    first.save(file, kind, save_all=bool(rest), append_images=rest, **settings)
    return file.getvalue()


COLOURS, ALPHA, GREY, DEEP = (
    d.ints(0, 256, 3, 5, 3),
    d.ints(0, 256, 2, 4, 4),
    d.ints(0, 256, 4, 3, 1),
    d.ints(0, 65536, 3, 2, 3),
)
COLOURS, ALPHA, GREY, DEEP = COLOURS.astype("u1"), ALPHA.astype("u1"), GREY.astype("u1"), DEEP.astype("u2")
# blocks of 8 x 8 pixels of one grey: a JPEG file of quality 100 keeps them
BLOCKS = np.kron(d.ints(0, 256, 2, 3), np.ones((8, 8), int)).astype("u1")[..., None]
FRAMES = np.stack([np.full((4, 5, 3), shade, "u1") for shade in (10, 100, 200)])
FRAMES[:, 1, 2] = 255
JPEG = by_pillow([BLOCKS[..., 0]], "JPEG", quality=100)
GIF = by_pillow(list(FRAMES), "GIF")
WEBP = by_pillow([ALPHA], "WEBP", lossless=True, exact=True)
# what each file holds
HOLDS = {
    png(COLOURS): COLOURS,
    png(ALPHA): ALPHA,
    png(GREY): GREY,
    png(DEEP): DEEP,
    bmp(COLOURS): COLOURS,
    JPEG: BLOCKS,
    GIF: FRAMES,
    WEBP: ALPHA[None],
}


def held(contents, channels=0, **_):
    image = HOLDS[contents.item()]
    if channels == 3 and image.shape[-1] == 1:
        return np.repeat(image, 3, -1)
    return image[..., : channels or None]


def deep(contents, channels, dtype):
    image = held(contents, channels)
    return image.astype(int) * 257 if dtype == UINT16 and image.dtype == UINT8 else image


def any_kind(contents, channels, dtype, expand_animations):
    image = held(contents, channels)
    image = image if image.ndim < 4 or expand_animations else image[0]
    if dtype == FLOAT32:
        return image / np.iinfo(image.dtype).max
    return image


def jpeg(contents, channels, ratio, try_recover_truncated, crop_window):
    image = held(contents, channels)[::ratio, ::ratio]
    if crop_window is None:
        return image
    top, left, high, wide = crop_window
    return image[top : top + high, left : left + wide]


def bytes_of(value):
    return np.array(value, object)


def file_holds(results, inputs, settings):
    image, files = inputs[0], results[0]
    images = image.reshape(-1, *image.shape[-3:])
    assert files.shape == image.shape[:-3]
    for one, file in zip(images, files.ravel(), strict=True):
        assert file.endswith((b"\xff\xd9", b"IEND\xaeB`\x82"))
        read = np.array(Image.open(io.BytesIO(file)))
        if one.dtype == UINT16 and one.shape[-1] > 1:
            one = one >> 8  # Pillow reads no more of it
        np.testing.assert_array_equal(read.reshape(one.shape), one)


FILE = {"nan": "bytes", "compiled": VALUES}
ROWS: dict[str, Row] = {
    "decode_jpeg": Row(
        jpeg,
        [((bytes_of(JPEG),), {}), ((bytes_of(JPEG),), {"channels": 3, "ratio": 2}),
         ((bytes_of(JPEG[:-2]),), {"try_recover_truncated": True}), ((bytes_of(JPEG),), {"crop_window": (3, 7, 6, 12)})],
        dtype="uint8", **FILE,
    ),
    "decode_png": Row(
        deep,
        [((bytes_of(png(COLOURS)),), {}), ((bytes_of(png(ALPHA)),), {"channels": 3}), ((bytes_of(png(GREY)),), {"dtype": UINT16}),
         ((bytes_of(png(DEEP)),), {"dtype": UINT16})],
        dtype=lambda i, s: s["dtype"], **FILE,
    ),
    "decode_picture": Row(
        held,
        [((bytes_of(bmp(COLOURS)),), {"kind": "bmp"}), ((bytes_of(bmp(COLOURS)),), {"kind": "bmp", "channels": 3})],
        dtype="uint8", **FILE,
    ),
    "decode_frames": Row(
        held,
        [((bytes_of(GIF),), {"kind": "gif"}), ((bytes_of(WEBP),), {"kind": "webp", "channels": 0}), ((bytes_of(WEBP),), {"kind": "webp"})],
        dtype="uint8", **FILE,
    ),
    "decode_image": Row(
        any_kind,
        [((bytes_of(png(COLOURS)),), {}), ((bytes_of(GIF),), {"expand_animations": False}), ((bytes_of(JPEG),), {"channels": 3}),
         ((bytes_of(png(DEEP)),), {"dtype": FLOAT32}), ((bytes_of(WEBP),), {}), ((bytes_of(bmp(COLOURS)),), {"dtype": FLOAT32})],
        dtype=lambda i, s: s["dtype"], **FILE,
    ),
    "is_jpeg": Row(
        lambda contents: np.array([value[:3] == b"\xff\xd8\xff" for value in contents.ravel()]).reshape(contents.shape),
        [((bytes_of(JPEG),), {}), ((np.array([[GIF, JPEG], [b"", b"\xff\xd8"]], object),), {})],
        dtype="bool", **FILE,
    ),
    "extract_jpeg_shape": Row(
        lambda contents, output_type: np.array(HOLDS[contents.item()].shape),
        [((bytes_of(JPEG),), {}), ((bytes_of(JPEG),), {"output_type": np.dtype("int64")})],
        dtype=lambda i, s: s["output_type"], **FILE,
    ),
    "encode_jpeg": Row(
        None,
        [((BLOCKS,), {"quality": 100}),
         ((BLOCKS,), {"quality": 100, "progressive": True, "optimize": True, "subsampling": 0, "dpi": (72, 36), "xmp": "<x/>"})],
        check=file_holds, **FILE,
    ),
    "encode_png": Row(
        None,
        [((COLOURS,), {}), ((ALPHA,), {"compression": 0}), ((np.stack([GREY, GREY + 1]),), {}), ((DEEP,), {"compression": 9})],
        check=file_holds, **FILE,
    ),
    "jpeg_quality": Row(
        lambda image, quality: image if quality == 100 else held(bytes_of(JPEG)),
        [((BLOCKS, np.int32(100)), {})],
        **FILE,
    ),
}  # fmt: skip
HOLDS[JPEG[:-2]] = BLOCKS
