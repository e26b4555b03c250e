"""PNG files of 16 bits a channel, which Pillow cuts to 8 where there is more than one channel."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# kinds of colour by the number of channels: grey, grey and alpha, colours, colours and alpha
_KINDS = {1: 0, 2: 4, 3: 2, 4: 6}
_CHANNELS = {kind: channels for channels, kind in _KINDS.items()}


def is_wide(data: bytes) -> bool:
    """Whether these are the bytes of a PNG of 16 bits a channel."""
    return data[:8] == SIGNATURE and data[12:16] == b"IHDR" and data[24:25] == b"\x10"


def channels(data: bytes) -> int:
    """The number of channels that the header tells, which has been read before."""
    return _CHANNELS.get(data[25], 3)


def header(data: bytes) -> tuple[int, int, int]:
    """(height, width, channels). ValueError for what this file cannot read."""
    if len(data) < 33:
        raise ValueError("the file ends in its header")
    width, height, _, kind, compression, filters, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if kind not in _CHANNELS or compression or filters:
        raise ValueError("its header holds values that PNG does not know")
    if interlaced:
        raise ValueError("it is interlaced, with 16 bits a channel")
    if not width or not height:
        raise ValueError("it has no pixels")
    return height, width, _CHANNELS[kind]


def read(data: bytes) -> np.ndarray:
    """The image [H, W, C], uint16. ValueError for damaged files.

    Nothing beyond the size that the header tells is unpacked.
    """
    height, width, channels = header(data)
    step = 2 * channels
    line = 1 + width * step
    packed, place = [], 8
    while place + 12 <= len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        check = data[place + 8 + size : place + 12 + size]
        if len(check) < 4 or zlib.crc32(kind + body) != struct.unpack(">I", check)[0]:
            raise ValueError(f"its part {kind!r} is damaged")
        if kind == b"IDAT":
            packed.append(body)
        if kind == b"IEND":
            break
        place += 12 + size
    try:
        raw = zlib.decompressobj().decompress(b"".join(packed), height * line)
    except zlib.error as error:
        raise ValueError(f"its pixels cannot be unpacked: {error}") from None
    if len(raw) != height * line:
        raise ValueError(f"it holds {len(raw)} bytes of pixels, not {height * line}")
    lines = np.frombuffer(raw, np.uint8).reshape(height, line)
    if (lines[:, 0] > 4).any():
        raise ValueError("a line has a filter that PNG does not know")
    return _unfiltered(lines[:, 0], lines[:, 1:].reshape(height, width, step)).view(">u2").astype(np.uint16)


def _unfiltered(kinds: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Pixels [H, W, bytes] of what was written as differences to their neighbours, by lines of five kinds.

    A pixel needs those to its left, above it, and above to the left: so all pixels of a diagonal are found at once.
    """
    height, width, step = given.shape
    found = np.zeros((height + 1, width + 1, step), np.uint8)
    if (kinds == 0).all():
        return np.ascontiguousarray(given)
    kinds = kinds[:, None]
    for diagonal in range(height + width - 1):
        rows = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        columns = diagonal - rows
        left = found[rows + 1, columns].astype(np.int16)
        above, corner = found[rows, columns + 1].astype(np.int16), found[rows, columns].astype(np.int16)
        guess = left + above - corner
        to_left, to_above, to_corner = abs(guess - left), abs(guess - above), abs(guess - corner)
        nearest = np.where(
            (to_left <= to_above) & (to_left <= to_corner), left, np.where(to_above <= to_corner, above, corner)
        )
        kind = kinds[rows]
        expected = np.select(
            [kind == 1, kind == 2, kind == 3, kind == 4], [left, above, (left + above) // 2, nearest], 0
        )
        found[rows + 1, columns + 1] = (given[rows, columns] + expected).astype(np.uint8)
    return np.ascontiguousarray(found[1:, 1:])


def written(image: np.ndarray, compression: int) -> bytes:
    """The file of an image [H, W, C], uint16."""
    height, width, channels = image.shape
    lines = image.astype(">u2").view(np.uint8).reshape(height, width * channels * 2)
    # differences to the line above: most images pack better so
    above = np.concatenate([np.zeros_like(lines[:1]), lines[:-1]])
    filtered = np.concatenate([np.full((height, 1), 2, np.uint8), lines - above], axis=1)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, _KINDS[channels], 0, 0, 0)),
        (b"IDAT", zlib.compress(filtered.tobytes(), compression)),
        (b"IEND", b""),
    ]
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
