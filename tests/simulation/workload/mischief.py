"""What outsiders do wrong with a good record: repeat it, misplace it, forge it, tear it."""

from collections.abc import Callable, Sequence
from random import Random

import orjson

from schemas.envelope import Outgoing
from services.kernel.proofs import vouch
from services.kernel.space import INPUT_BYTES_MAX, Space
from tests.simulation.workload.post import BOTS, key_of

Headers = tuple[tuple[str, bytes], ...]


def with_header(record: Outgoing, name: str, content: bytes | None) -> Outgoing:
    """Set a header, or leave it out."""
    kept = tuple(header for header in record.headers if header[0] != name)
    return record._replace(headers=kept if content is None else (*kept, (name, content)))


def misplaced(random: Random, record: Outgoing, space: Space) -> Outgoing:
    """Put a record into any partition, with any key."""
    key = random.choice((None, b"", b"wrong", record.key, b"\xff\xfe"))
    return record._replace(partition=random.randrange(space.partitions), key=key)


def forged(random: Random, record: Outgoing, space: Space) -> Outgoing:
    """Spoil a record's voucher."""
    bare = with_header(record, "ce_proof", None)
    proof = dict(record.headers).get("ce_proof", b"{}")

    def by(principal: str, key: str = "") -> Outgoing:
        return vouch(key_of(key or principal), principal, space.name, [bare])[0]

    ways: list[Callable[[], Outgoing]] = [
        lambda: bare,
        lambda: with_header(record, "ce_proof", random.choice(_MALFORMED)),
        lambda: by("gateway", key="former"),
        lambda: by("nobody"),
        lambda: by(random.choice(("wallet", "former", *BOTS))),
        lambda: vouch(key_of("gateway"), "gateway", "another-space", [bare])[0],
        lambda: with_header(record, "ce_source", b"/elsewhere"),
        lambda: with_header(record, "ce_proof", _bent(random, proof)),
        lambda: record._replace(value=(record.value or b"") + b" "),
    ]
    return random.choice(ways)()


_MALFORMED = (
    b"",
    b"\xff",
    b"[]",
    b"null",
    b'{"principal": 1, "signature": ""}',
    b'{"principal": "gateway", "signature": 5}',
    b'{"principal": "gateway", "signature": "0g"}',
    b'{"principal": ["gateway"], "signature": "00"}',
    b'{"principal": "gateway", "signature": "00", "path": 7}',
)


def _bent(random: Random, proof: bytes) -> bytes:
    """Change the place in the batch that a voucher claims."""
    fields = orjson.loads(proof)
    fields["index"] = random.choice((-1, 0, 1, 2**62, "0", None))
    fields["size"] = random.choice((-1, 0, 1, 2, 2**62, True))
    fields["path"] = random.choice(([], ["00" * 32], ["00"] * 40, [""]))
    return orjson.dumps(fields)


def torn(random: Random, record: Outgoing) -> Outgoing:
    """Make a record unreadable, or readable as something that it should not say."""
    value = record.value or b"{}"
    ways: Sequence[Callable[[], Outgoing]] = [
        lambda: record._replace(value=None),
        lambda: record._replace(value=b""),
        lambda: record._replace(value=random.randbytes(random.randrange(1, 60))),
        lambda: record._replace(value=value[: random.randrange(len(value))]),
        lambda: record._replace(value=b"[" * 3_000),
        lambda: record._replace(value=random.choice((b"null", b"[]", b'"x"', b"7", b"NaN", b"{}"))),
        lambda: record._replace(value=value + b" " * INPUT_BYTES_MAX),
        lambda: record._replace(value=_with_fields(random, value)),
        lambda: record._replace(value=_with_fields(random, value)),
        lambda: record._replace(headers=()),
        lambda: record._replace(headers=record.headers + record.headers[:1]),
        lambda: with_header(record, random.choice(_REQUIRED), None),
        lambda: with_header(record, "ce_specversion", b"0.3"),
        lambda: with_header(record, "ce_type", random.choice((b"no.such.v1", b"claim.filed.v1", b"topic.started.v1"))),
        lambda: with_header(record, "ce_id", random.choice((b"", b"\xff", b"a\nb", b"x" * 513))),
        lambda: with_header(record, "ce_since", random.choice((b"yesterday", b"1970-01-01T00:00:00.000Z"))),
        lambda: with_header(record, "ce_stream", b"claim.filings"),
        lambda: with_header(record, "ce_forwardedfrom", b"nowhere"),
    ]
    return random.choice(ways)()


_REQUIRED = ("ce_id", "ce_source", "ce_type", "ce_specversion")
_VALUES = (
    b"null",
    b"-1",
    b"1.5",
    b"1e400",
    b"NaN",
    b'""',
    b'"-1"',
    b'"0x10"',
    b'"1.5"',
    b'"%d"' % 2**256,
    b"9" * 5_000,
    b'"9999-12-31T23:59:59.999Z"',
    b'"0001-01-01T00:00:00+23:59"',
    b'"\\ud800"',
    b'"\\u0000"',
    b"[[[]]]",
    b'{"a": {"b": []}}',
    b'"%s"' % (b"x" * 5_000),
)


def _with_fields(random: Random, value: bytes) -> bytes:
    """Give fields odd values, leave some out, or add unknown ones."""
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    if not isinstance(fields, dict):
        return value
    spelled = {name: orjson.dumps(content) for name, content in fields.items()}
    for _ in range(random.randint(1, 2)):
        name = random.choice([*spelled, "surplus", "x" * 20_000, "\\u0000"])
        if random.random() < 0.2:
            spelled.pop(name, None)
        else:
            spelled[name] = random.choice(_VALUES)
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), content) for name, content in spelled.items()) + b"}"
