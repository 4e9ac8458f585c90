"""Snapshots: files that spare a restart most of the log.

A snapshot is a cache, keyed by the log position it stands for and by the fingerprint of what folds events; when
either does not fit, or the file is damaged, it is as if it were not there. States are spelled by the codec of their
own annotations, never pickled.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import orjson
import structlog
from pydantic import TypeAdapter

from .duplicates import DuplicateMemory
from .partition import Partition

_log = structlog.get_logger(__name__)


_adapters: dict[type, TypeAdapter[Any]] = {}


def _adapter(state: type) -> TypeAdapter[Any]:
    if state not in _adapters:
        _adapters[state] = TypeAdapter(state)
    return _adapters[state]


def _lines(core: Partition, log_offset: int) -> list[bytes]:
    head = {
        "service": core.service.name,
        "partition": core.index,
        "incarnations": dict(core.incarnations),
        "fingerprint": core.fingerprint,
        "log_offset": log_offset,
        "chain": core.chain.hex(),
        "release": core.release,
        "next_offsets": core.next_offsets,
        "last_at": core.last_at,
        "fired_at": core.fired_at,
        "sequences": core.sequences,
        "memory": core.memory.dump(),
    }
    facts = _adapter(core.service.facts.state).dump_json(core.facts)
    lines = [orjson.dumps(head), facts]
    for key, state in core.states.items():
        adapter = _adapter(core.service.deciders[key.partition("/")[0]].state)
        lines.append(orjson.dumps(key) + b"\t" + adapter.dump_json(state))
    return lines


def write_snapshot(path: Path, core: Partition, log_offset: int) -> None:
    """Write a snapshot beside the one there is, then put it in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = b"\n".join(_lines(core, log_offset))
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_snapshot(path: Path, core: Partition) -> int:
    """Load a fitting snapshot into a fresh partition and return the log offset to go on from, else 0."""
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return 0
    if hashlib.sha256(body).hexdigest().encode() != digest:
        _log.warning("snapshot damaged, reading the whole log", path=str(path))
        return 0
    lines = body.split(b"\n")
    head = orjson.loads(lines[0])
    expected = (core.service.name, core.index, dict(core.incarnations), core.fingerprint)
    if (head["service"], head["partition"], head["incarnations"], head["fingerprint"]) != expected:
        return 0
    core.facts = _adapter(core.service.facts.state).validate_json(lines[1])
    core.chain = bytes.fromhex(head["chain"])
    core.release = tuple(head["release"]) if head["release"] else None
    core.next_offsets = head["next_offsets"]
    core.last_at = head["last_at"]
    core.fired_at = head["fired_at"]
    core.sequences = head["sequences"]
    core.memory = DuplicateMemory.load(head["memory"])
    for line in lines[2:]:
        name, _, state = line.partition(b"\t")
        key = orjson.loads(name)
        decider = core.service.deciders[key.partition("/")[0]]
        core.restore(key, _adapter(decider.state).validate_json(state))
    return int(head["log_offset"])
