"""Merkle trees as in RFC 9162, section 2.1: root, inclusion path, and its check."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

_sha256 = hashlib.sha256


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = _split(len(hashes))
    return _node(root(hashes[:split]), root(hashes[split:]))


def paths(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Return the inclusion path of every leaf, lowest sibling first."""
    if len(hashes) <= 1:
        return [[] for _ in hashes]
    split = _split(len(hashes))
    left, right = hashes[:split], hashes[split:]
    left_root, right_root = root(left), root(right)
    return [[*path, right_root] for path in paths(left)] + [[*path, left_root] for path in paths(right)]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Recompute the root from a leaf hash and its path (RFC 9162, 2.1.3.2); None when the path cannot be one."""
    if not 0 <= index < size:
        return None
    own, shared = tuple(path[:_OWN_LEVELS]), tuple(path[_OWN_LEVELS:])
    place = _climb(leaf, index, size - 1, own)
    if place is not None and shared:
        place = _climb_shared(*place, shared)
    return place[0] if place is not None and place[2] == 0 else None


def _climb(node: bytes, first: int, last: int, path: tuple[bytes, ...]) -> tuple[bytes, int, int] | None:
    """Go up along a path from a node, the `first` of `last` + 1 on its level; None when the path is too long."""
    for sibling in path:
        if last == 0:
            return None
        if first & 1 or first == last:
            node = _sha256(b"\x01" + sibling + node).digest()
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = _sha256(b"\x01" + node + sibling).digest()
        first, last = first >> 1, last >> 1
    return node, first, last


# Neighbours in a batch differ in their lowest levels only: above those, their paths are one and the same.
_OWN_LEVELS = 3
_climb_shared = lru_cache(maxsize=1_024)(_climb)
