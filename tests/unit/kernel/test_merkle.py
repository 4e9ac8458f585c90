"""Merkle trees as in RFC 9162, against its published roots and against its definitions, spelled out."""

import hashlib
from collections.abc import Sequence

import pytest

from services.kernel.merkle import leaf_hash, paths, root, root_from_path

# The leaves and roots that the reference implementations of Certificate Transparency are tested with.
LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SIZES = range(1, 41)


def tree(size: int) -> list[bytes]:
    return [leaf_hash(b"leaf %d" % number) for number in range(size)]


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """Return the largest power of two below a size."""
    return max(1 << power for power in range(size) if 1 << power < size)


def root_by_definition(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    cut = split(len(hashes))
    return node(root_by_definition(hashes[:cut]), root_by_definition(hashes[cut:]))


def path_by_definition(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    cut = split(len(hashes))
    if index < cut:
        return [*path_by_definition(index, hashes[:cut]), root_by_definition(hashes[cut:])]
    return [*path_by_definition(index - cut, hashes[cut:]), root_by_definition(hashes[:cut])]


def test_roots_are_the_published_ones() -> None:
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    assert tuple(root(hashes[:size]).hex() for size in range(1, 9)) == ROOTS
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", SIZES)
def test_root_and_paths_are_those_of_the_definition(size: int) -> None:
    hashes = tree(size)
    assert root(hashes) == root_by_definition(hashes)
    assert paths(hashes) == [path_by_definition(index, hashes) for index in range(size)]


@pytest.mark.parametrize("size", SIZES)
def test_a_path_leads_from_its_leaf_to_the_root__and_from_no_other(size: int) -> None:
    hashes = tree(size)
    top = root(hashes)
    for index, path in enumerate(paths(hashes)):
        assert root_from_path(hashes[index], index, size, path) == top
        assert root_from_path(leaf_hash(b"another"), index, size, path) != top
        for other in range(size):
            if other != index:
                assert root_from_path(hashes[other], index, size, path) != top
                assert root_from_path(hashes[index], other, size, path) != top


@pytest.mark.parametrize("size", SIZES)
def test_a_path_of_another_length_leads_nowhere(size: int) -> None:
    hashes = tree(size)
    for index, path in enumerate(paths(hashes)):
        assert root_from_path(hashes[index], index, size, [*path, hashes[0]]) is None
        if path:
            assert root_from_path(hashes[index], index, size, path[:-1]) is None


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (5, 4), (0, -1)])
def test_a_place_outside_of_the_tree_has_no_root(index: int, size: int) -> None:
    assert root_from_path(leaf_hash(b""), index, size, []) is None
