"""`adjudex set-aside redrive`: a dead letter, repaired or as it is, sent again as a new input."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from schemas.envelope import Input, Outgoing, Record, decode
from schemas.outcomes import InputOutcome
from schemas.topics import INPUTS, OUTCOMES, OWNED
from services.cli.console import FINDINGS, FINE, Console, OperationRefusedError, printable
from services.cli.data import DataDirectory, SpaceStore
from services.cli.keys import Keyring
from services.cli.render import headline, outcome, place
from services.cli.set_aside import find_set_aside
from services.cli.trace import content_of
from services.embedded import Embedded
from services.kernel.partitioner import partition_of
from services.kernel.proofs import vouch
from services.kernel.space import Space
from services.kernel.sqlite_store import SqliteStore

_STREAMS = tuple(stream.name for stream in INPUTS)
_WAIT_S = 0.1


@dataclass(frozen=True, slots=True)
class Repair:
    """What is different in the new input; None where it stays as it was."""

    value: Path | None = None
    id: str | None = None
    type: str | None = None
    principal: str | None = None


async def redrive(data: DataDirectory, position: str, repair: Repair, console: Console, *, wait_s: int) -> int:
    """Send it again and show its fate; returns 0 where it was decided, else 1."""
    async with data.owning() as (space, store):
        record = await find_set_aside(space, store, position)
        sent = _repaired(record, repair, space, Keyring(data.keys))
        ends = {p: (await store.end_offsets(p, [OUTCOMES], committed=True))[OUTCOMES] for p in range(space.partitions)}
        where = str((await store.append([sent]))[0])
        headers = {name: value.decode(errors="replace") for name, value in sent.headers}
        content = {"redriven": position, "as": where, "id": headers["ce_id"]}
        console.put(content, *headline("redriven", f"{printable(position)} as {place(where)}, id {headers['ce_id']}"))
        if isinstance(store, SqliteStore):
            embedded = Embedded(space, store, snapshots=data.snapshots)
            await embedded.settle()
        found = await _outcome(space, store, ends, where, wait_s)
    if found is None:
        console.put(
            {"outcome": None}, *headline("undecided", "nothing has decided it yet; `adjudex whois` tells later")
        )
        return FINDINGS
    console.put({"outcome": orjson.Fragment(found.to_bytes())}, *outcome(found))
    return FINE if found.fate == "decided" else FINDINGS


def _repaired(record: Record, repair: Repair, space: Space, keyring: Keyring) -> Outgoing:
    """Make the new input; raises OperationRefusedError where it could not be decided either."""
    if record.topic not in _STREAMS:
        raise OperationRefusedError(
            f"{record.topic} is no public stream: a message between services has no sender who could repair it",
            "`adjudex log show` tells what it was about; put that right by inputs",
        )
    headers = dict(record.headers)
    if repair.id is not None:
        headers["ce_id"] = repair.id.encode()
    if repair.type is not None:
        headers["ce_type"] = repair.type.encode()
    for name, option in (("ce_id", "--id"), ("ce_type", "--type")):
        if name not in headers:
            raise OperationRefusedError(f"the input has no header {name}", f"say it with {option}")
    headers.setdefault("ce_source", f"/{space.name}/cli".encode())
    headers["ce_specversion"] = b"1.0"
    value = record.value if repair.value is None else _read(repair.value)
    if value is None:
        raise OperationRefusedError("the input has no value", "name a file that has one with --value")
    changed = value != record.value or any(dict(record.headers).get(name) != headers[name] for name in headers)
    if changed:
        # Whoever vouched did not vouch for this.
        headers.pop("ce_proof", None)
    key = _key(headers["ce_type"], value)
    partition = record.partition if key is None else partition_of(key, space.partitions)
    sent = Outgoing(record.topic, partition, record.key if key is None else key.encode(), value, tuple(headers.items()))
    if repair.principal is not None:
        return _vouched(sent, repair.principal, space, keyring)
    if "ce_proof" not in headers and record.topic not in OWNED:
        raise OperationRefusedError(
            "nobody vouches for it any more: it is not what its sender signed",
            "name a principal whose key is in DIR/keys with --as",
        )
    return sent


def _vouched(record: Outgoing, principal: str, space: Space, keyring: Keyring) -> Outgoing:
    key = keyring.find(principal)
    if key is None:
        held = ", ".join(keyring.names()) or "none yet"
        raise OperationRefusedError(
            f"there is no private key of {printable(principal)} in {keyring.folder}",
            f"a principal whose key is there ({held})",
        )
    headers = tuple(held for held in record.headers if held[0] != "ce_proof")
    return vouch(key, principal, space.name, [record._replace(headers=headers)])[0]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OperationRefusedError(f"{path} cannot be read: {error.strerror}", "name a file with the value") from None


def _key(wire: bytes, value: bytes) -> str | None:
    try:
        content = decode(wire.decode(), value)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return content.key() if isinstance(content, Input) else None


async def _outcome(
    space: Space, store: SpaceStore, ends: dict[int, int], position: str, wait_s: int
) -> InputOutcome | None:
    """Wait for what is published about an input."""
    until = time.monotonic() + wait_s
    while True:
        for partition in range(space.partitions):
            fetched = (await store.fetch(partition, {OUTCOMES: ends[partition]}, 500))[OUTCOMES]
            ends[partition] = fetched.next
            for record in fetched.records:
                content = content_of(record)
                if isinstance(content, InputOutcome) and content.position == position:
                    return content
        if time.monotonic() >= until:
            return None
        await asyncio.sleep(_WAIT_S)
