"""Merkle trees as in RFC 9162, section 2.1: root, inclusion path, and its check."""

import hashlib
from collections.abc import Sequence


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
    first, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if first & 1 or first == last:
            node = _node(sibling, node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = _node(node, sibling)
        first, last = first >> 1, last >> 1
    return node if last == 0 else None
