"""Which partition a key belongs to: murmur2 as in the Java client, so that any standard producer agrees."""

import struct
from functools import lru_cache

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """Hash as `org.apache.kafka.common.utils.Utils.murmur2` does, as an unsigned 32-bit number."""
    length = len(data)
    digest = (_SEED ^ length) & _MASK
    whole = length & ~3
    for part in struct.unpack(f"<{length >> 2}I", data[:whole]):
        word = part * _MULTIPLIER & _MASK
        word = (word ^ (word >> 24)) * _MULTIPLIER & _MASK
        digest = (digest * _MULTIPLIER & _MASK) ^ word
    rest = data[whole:]
    if rest:
        digest = (digest ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _MASK
    digest = (digest ^ (digest >> 13)) * _MULTIPLIER & _MASK
    return digest ^ (digest >> 15)


@lru_cache(maxsize=8_192)
def partition_of(key: str, partitions: int) -> int:
    """Return the partition of an aggregate's key."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
