"""Looks through the skeleton of an HDF5 file before the C library does.

The library follows addresses and sizes in a file's metadata in good faith: one flipped bit in the size of a heap object
lets it run for ever. Here the structures of the files that h5py writes are walked with bounds: groups (B-trees, symbol
nodes, local heaps), object headers, chunk indexes, and global heaps, where strings stand. Newer forms (signatures OHDR,
BTHD, FRHP) carry checksums that the library compares by itself.
"""

from __future__ import annotations

import mmap
import struct
from typing import Any

from tensorsmith.exchange.safety import refusal

_NOWHERE = 0xFFFFFFFFFFFFFFFF
_MOST_BLOCKS = 4 * 10**6


def check_file(path: str, file: Any) -> None:
    """Refuses a file whose skeleton does not hold together."""
    with open(path, "rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        check(data, file)


def check(data: Any, file: Any) -> None:
    """The same for bytes."""
    try:
        _Scan(data).run()
    except _BrokenError as error:
        raise refusal(
            file, f"its HDF5 structure is damaged ({error})", way_out="Was it copied or downloaded whole?"
        ) from error


class _BrokenError(Exception):
    """What is wrong, and where."""


class _Scan:
    def __init__(self, data: Any) -> None:
        self.data = data
        self.size = len(data)
        self.seen: set[int] = set()

    def run(self) -> None:
        if self.size < 96:
            raise _BrokenError("it ends within its first block")
        version = self.data[8]
        if version == 0:
            if self.data[13] != 8 or self.data[14] != 8:
                raise _BrokenError("addresses are not of 8 bytes")
            self.objects(self.number(56 + 8))
        elif version not in (2, 3):  # those two carry a checksum
            raise _BrokenError(f"the version of its first block is {version}")
        self.global_heaps()

    def number(self, at: int, form: str = "<Q") -> int:
        if not 0 <= at <= self.size - struct.calcsize(form):
            raise _BrokenError(f"address {at} lies outside of the file")
        return struct.unpack_from(form, self.data, at)[0]

    def within(self, at: int, length: int, what: str) -> None:
        if at + length > self.size:
            raise _BrokenError(f"a {what} at {at} reaches beyond the end of the file")

    def block(self, at: int, signature: bytes, length: int) -> bool:
        """Checks a block's place and signature; False when it was looked at before."""
        self.within(at, length, signature.decode())
        if self.data[at : at + 4] != signature:
            raise _BrokenError(f"there is no {signature.decode()} at {at}")
        return self.once(at)

    def once(self, at: int) -> bool:
        if at in self.seen:
            return False
        self.seen.add(at)
        if len(self.seen) > _MOST_BLOCKS:
            raise _BrokenError("it has too many blocks")
        return True

    # ---- objects and groups

    def objects(self, root: int) -> None:
        waiting = [root]  # and not recursion: groups may be nested deeply
        while waiting:
            at = waiting.pop()
            self.within(at, 16, "header")
            if not self.once(at) or self.data[at : at + 4] == b"OHDR":
                continue
            for kind, place, size in self.messages(at):
                if kind == 0x11 and size >= 16:
                    waiting += self.group(self.number(place), self.number(place + 8))
                elif kind == 0x08 and size >= 11 and self.data[place] == 3 and self.data[place + 1] == 2:
                    address = self.number(place + 3)
                    if address != _NOWHERE:
                        self.tree(address, 8 + 8 * self.data[place + 2], 1, [])

    def messages(self, at: int) -> list[tuple[int, int, int]]:
        """(kind, address, size) of the messages of an object header, through its continuations."""
        if self.data[at] != 1:
            raise _BrokenError(f"there is no object at {at}")
        most = self.number(at + 2, "<H")
        found: list[tuple[int, int, int]] = []
        blocks = [(at + 16, self.number(at + 8, "<I"))]
        starts = set()
        for start, length in blocks:
            self.within(start, length, "header")
            if start in starts:
                raise _BrokenError(f"the header at {at} continues in a circle")
            starts.add(start)
            place, end = start, start + length
            while place + 8 <= end and len(found) < most:
                kind, size = self.number(place, "<H"), self.number(place + 2, "<H")
                if place + 8 + size > end:
                    raise _BrokenError(f"a message at {place} is longer than its header")
                if kind == 0x10 and size >= 16:
                    blocks.append((self.number(place + 8), self.number(place + 16)))
                found.append((kind, place + 8, size))
                place += 8 + size
        return found

    def group(self, tree: int, heap: int) -> list[int]:
        """The addresses of the objects in a group."""
        size, start = self.local_heap(heap)
        found: list[int] = []
        nodes: list[int] = []
        self.tree(tree, 8, 0, nodes)
        for node in nodes:
            if not self.block(node, b"SNOD", 8):
                raise _BrokenError(f"the node at {node} stands in two groups")
            count = self.number(node + 6, "<H")
            self.within(node, 8 + 40 * count, "SNOD")
            for entry in range(node + 8, node + 8 + 40 * count, 40):
                name = self.number(entry)
                if name >= size or self.data[start + name : start + size].find(b"\0") < 0:
                    raise _BrokenError(f"the name at {entry} lies outside of its heap")
                address = self.number(entry + 8)
                if address != _NOWHERE:  # a soft link, which the reader refuses by name
                    found.append(address)
        return found

    def tree(self, root: int, key: int, kind: int, leaves: list[int]) -> None:
        """Walks a B-tree: every level lower by one, every node met once. `leaves` takes what the lowest level names."""
        waiting = [(root, -1)]
        while waiting:
            at, level = waiting.pop()
            if not self.block(at, b"TREE", 24):
                raise _BrokenError(f"the tree at {root} has a circle")
            if self.data[at + 4] != kind or level >= 0 and self.data[at + 5] != level:
                raise _BrokenError(f"the tree node at {at} is of another kind or level than it should be")
            level = self.data[at + 5]
            count = self.number(at + 6, "<H")
            self.within(at, 24 + count * (key + 8) + key, "TREE")
            children = [self.number(at + 24 + n * (key + 8) + key) for n in range(count)]
            if level:
                waiting += [(child, level - 1) for child in children]
            else:
                leaves += children

    def local_heap(self, at: int) -> tuple[int, int]:
        """(size, address) of the names of a group; its list of free places is followed to its end."""
        self.block(at, b"HEAP", 32)
        size, free, start = self.number(at + 8), self.number(at + 16), self.number(at + 24)
        self.within(start, size, "heap")
        steps = 0
        while free not in (1, _NOWHERE):
            steps += 1
            if free + 16 > size or steps > size // 16 + 1:
                raise _BrokenError(f"the free places of the heap at {at} do not end")
            free = self.number(start + free)
        return size, start

    # ---- strings

    def global_heaps(self) -> None:
        """Every global heap, found by its signature: their objects must fill them exactly."""
        at = self.data.find(b"GCOL")
        while at >= 0:
            # a heap stands at a multiple of 8; elsewhere the four letters are part of some data
            if at % 8 == 0 and self.data[at + 4 : at + 8] == b"\x01\0\0\0":
                end = at + self.number(at + 8)
                if end > self.size or end < at + 16:
                    raise _BrokenError(f"the heap at {at} reaches beyond the end of the file")
                self.heap_objects(at, end)
            at = self.data.find(b"GCOL", at + 4)

    def heap_objects(self, at: int, end: int) -> None:
        place = at + 16
        while place + 16 <= end:
            index, size = self.number(place, "<H"), self.number(place + 8)
            # index 0 is the free rest, whose size counts its own header
            length = size if index == 0 else 16 + (size + 7) // 8 * 8
            if length < 16 or place + length > end:
                raise _BrokenError(f"an object of the heap at {at} is longer than the heap")
            place += length
