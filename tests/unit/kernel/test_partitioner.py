"""The partitioner is Java's: vectors of the Java client and of its ports."""

import pytest

from services.kernel.partitioner import murmur2, partition_of

VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
    b"": 275646681,
    b"a": -1563381124,
    b"ab": 316155434,
    b"123456789": -1822237082,
    b"\x00 ": 1121897742,
    bytes(range(256)): -1948347274,
}
OF_A_THOUSAND = {"": 681, "a": 524, "ab": 434, "abc": 107, "123456789": 566, "\x00 ": 742, "till/é😀": 984}


@pytest.mark.parametrize(("data", "signed"), VECTORS.items(), ids=range(len(VECTORS)))
def test_murmur2_is_that_of_the_java_client(data: bytes, signed: int) -> None:
    assert murmur2(data) == signed % 2**32


@pytest.mark.parametrize(("key", "partition"), OF_A_THOUSAND.items(), ids=range(len(OF_A_THOUSAND)))
def test_a_key_goes_where_the_java_client_puts_it(key: str, partition: int) -> None:
    assert partition_of(key, 1_000) == partition
