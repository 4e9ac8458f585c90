"""What must be true in the end, checked from the records themselves and without the kernel's code."""

import hashlib
import json
import struct
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from schemas.topics import INPUTS, INSTRUCTIONS, OUTCOMES, SERVICES
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.space import Space
from tests.chaos.reader import Reader
from tests.chaos.watch import Witness, digest

_READS = {
    "governance": ("governance.actions",),
    "assessors": ("assessor.actions",),
    "incidents": ("incident.reports",),
    "claims": ("cover.registrations", "claim.filings"),
    "adjudication": ("assessor.votes", "case.actions"),
    "pools": ("cover.requests", "capital.movements"),
    "payouts": ("payout.receipts",),
}
_PUBLIC = tuple(stream.name for stream in INPUTS)
_FINDINGS_MAX = 30
_ABSENT = 0xFFFFFFFF


class Fate(NamedTuple):
    """What a log says of one input."""

    kind: str
    log: str
    offset: int


@dataclass(slots=True)
class Audit:
    """Everything that is not as it must be, and what was counted on the way."""

    findings: list[str] = field(default_factory=list)
    fates: Counter[str] = field(default_factory=Counter)
    inputs: set[str] = field(default_factory=set)
    events: int = 0
    effects: Counter[str] = field(default_factory=Counter)
    aborted_records: int = 0
    aborted_transactions: int = 0
    repeats: int = 0

    def find(self, what: str) -> None:
        """Note a finding; of a flood only the first ones."""
        if len(self.findings) < _FINDINGS_MAX:
            self.findings.append(what)


async def audit(space: Space, settings: KafkaSettings, witness: Witness) -> Audit:
    """Check everything."""
    found = Audit()
    reader = Reader(space, settings)
    try:
        fates = await _logs(reader, found)
        await _inputs(reader, fates, found)
        await _published(reader, witness, found)
        await _aborted(reader, found)
    finally:
        reader.close()
    return found


# --- logs: sequences, chains, effects, fates


def _digest(before: bytes, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> bytes:
    """Digest as docs/wire.md says."""
    parts = [key or b"", value or b""]
    for name, content in sorted(headers):
        if name != "ce_chain":
            parts += [name.encode(), content]
    lengths = [len(part) for part in parts]
    if key is None:
        lengths[0] = _ABSENT
    if value is None:
        lengths[1] = _ABSENT
    numbers = struct.pack(f">{len(parts) + 1}I", len(parts), *lengths)
    return hashlib.sha256(before + numbers + b"".join(parts)).digest()


async def _logs(reader: Reader, found: Audit) -> dict[str, list[Fate]]:
    fates: dict[str, list[Fate]] = defaultdict(list)
    once: Counter[str] = Counter()
    for service in SERVICES:
        log = f"{service}.events"
        for partition in range(reader.space.partitions):
            chain, before = b"", ""
            sequences: dict[bytes, int] = {}
            for record in await reader.committed(log, partition):
                where = f"{log}/{partition}/{record.offset}"
                headers, content = dict(record.headers), json.loads(record.value or b"")
                wire = headers["ce_type"].decode()
                if record.offset == 0:
                    life = [reader.space.name, log, partition, content["incarnation"]]
                    chain = hashlib.sha256(json.dumps(life, separators=(",", ":")).encode()).digest()
                    continue
                found.events += 1
                key = record.key or b""
                chain = _digest(chain, record.key, record.value, list(record.headers))
                if chain.hex().encode() != headers["ce_chain"]:
                    found.find(f"{where}: the chain breaks")
                    chain = bytes.fromhex(headers["ce_chain"].decode())
                sequence = int(headers["ce_sequence"])
                if sequence != sequences.get(key, 0) + 1:
                    found.find(f"{where}: sequence {sequence} after {sequences.get(key, 0)}")
                sequences[key] = sequence
                position = headers.get("ce_input", b"").decode()
                if position and position != before:
                    name = f"{key.decode()} {position}" if position.startswith("deadline/") else position
                    fates[name].append(Fate(_kind(wire, content), log, record.offset))
                before = position
                for name, fate in _passed(wire, content, partition):
                    fates[name].append(Fate(fate, log, record.offset))
                effect = _effect(wire, content, key.decode())
                if effect is not None:
                    once[effect] += 1
    found.effects.update(effect.partition(" ")[0] for effect in once)
    for effect, count in once.items():
        if count > 1:
            found.find(f"{count} times: {effect}")
    for name, told in fates.items():
        if len(told) > 1:
            found.find(f"{name} has {len(told)} fates: {told}")
    return fates


def _kind(wire: str, content: dict[str, Any]) -> str:
    if wire == "refused.v1":
        early = content["unknown"] or content["rule"].startswith(("proof.", "schema.", "input.id-reused"))
        return "refused, not used up" if early else "refused"
    return "set-aside" if wire == "input.set-aside.v1" else "decided"


def _passed(wire: str, content: dict[str, Any], partition: int) -> list[tuple[str, str]]:
    if wire != "inputs.passed.v1":
        return []
    return [
        (f"{held['topic']}@{held['incarnation']}/{partition}/{passed['offset']}", passed["fate"])
        for held in content["ranges"]
        for passed in held["inputs"]
    ]


_ONCE = {
    "cover.registered.v1": ("cover",),
    "claim.filed.v1": ("claim",),
    "claim.approved.v1": ("claim",),
    "claim.denied.v1": ("claim",),
    "claim.drawn.v1": ("claim",),
    "claim.withdrawn.v1": ("claim",),
    "claim.allocated.v1": ("claim", "payout"),
    "claim.paid.v1": ("claim", "payout"),
    "cover.sold.v1": ("cover",),
    "capital.deposited.v1": ("provider", "transaction"),
    "stake.added.v1": ("assessor", "transaction"),
    "stake.settled.v1": ("assessor", "case", "round"),
    "incident.settled.v1": ("incident", "allocation"),
    "payout.booked.v1": ("payout",),
    "incident.opened.v1": ("product", "producer", "reference"),
    "report.joined.v1": ("incident", "producer", "reference"),
    "case.opened.v1": ("case",),
    "case.ruled.v1": ("case",),
    "vote.counted.v1": ("round", "assessor", "choice"),
    "payout.instructed.v1": ("payout", "attempt"),
    "payout.retried.v1": ("payout", "attempt"),
    "payout.failed.v1": ("payout", "attempt"),
    "payout.confirmed.v1": ("payout",),
}
"""What may happen once only, to what of one aggregate."""


def _effect(wire: str, content: dict[str, Any], key: str) -> str | None:
    """Name what may happen once only."""
    fields = _ONCE.get(wire)
    return None if fields is None else " ".join([wire, key, *(str(content[name]) for name in fields)])


# --- inputs: each offset its fate, each input its effect


async def _inputs(reader: Reader, fates: Mapping[str, list[Fate]], found: Audit) -> None:
    forwarded: dict[str, str] = {}
    known: set[str] = set()
    used: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for service in SERVICES:
        for topic in (f"{service}.inbox", *_READS[service]):
            for partition in range(reader.space.partitions):
                expected, life = 0, ""
                for record in await reader.committed(topic, partition):
                    headers = dict(record.headers)
                    if record.offset == 0:
                        life = json.loads(record.value or b"")["incarnation"]
                        expected = 1
                        continue
                    position = f"{topic}@{life}/{partition}/{record.offset}"
                    if topic in _PUBLIC:
                        if record.offset != expected:
                            found.find(f"{position}: offset {expected} is missing before it")
                        expected = record.offset + 1
                        found.inputs.add(f"{topic}/{partition}/{record.offset}")
                    known.add(position)
                    told = fates.get(position, [])
                    if not told:
                        found.find(f"{position}: no fate")
                        continue
                    kind = told[0].kind
                    found.fates[kind] += 1
                    origin = (headers.get("ce_forwardedfrom") or b"").decode()
                    if origin:
                        if origin in forwarded:
                            found.find(f"{origin}: forwarded twice, to {forwarded[origin]} and {position}")
                        forwarded[origin] = position
                    stream = (headers.get("ce_stream") or topic.encode()).decode()
                    if kind in ("decided", "no-effect", "refused"):
                        identity = (stream, headers["ce_source"].decode(), headers["ce_id"].decode())
                        used[identity].append(f"{position} {kind}")
    for name, told in fates.items():
        if name not in known and " deadline/" not in name:
            found.find(f"{name}: fate {told[0].kind}, but there is no such input")
        if told[0].kind == "forwarded" and name not in forwarded:
            found.find(f"{name}: forwarded, but to nowhere")
    for identity, effects in used.items():
        if len(effects) > 1:
            found.find(f"{identity} has {len(effects)} effects: {effects}")


# --- outsiders


async def _published(reader: Reader, witness: Witness, found: Audit) -> None:
    """Hold what an outsider saw against what stands there, and instructions against what payouts instructed."""
    said: dict[tuple[str, int], tuple[str, str, str]] = {}
    for partition in range(reader.space.partitions):
        for record in await reader.committed("payouts.events", partition):
            if dict(record.headers)["ce_type"] in (b"payout.instructed.v1", b"payout.retried.v1"):
                content = json.loads(record.value or b"")
                said[content["payout"], content["attempt"]] = _transfer(content)
    told: dict[tuple[str, int], tuple[str, str, str]] = {}
    for place in witness.places:
        expected = 0
        distinct: set[bytes] = set()
        for record in await reader.committed(*place):
            where = f"{place[0]}/{place[1]}/{record.offset}"
            if record.offset != expected:
                found.find(f"{where}: offset {expected} is missing before it")
            expected = record.offset + 1
            what = digest(record)
            seen = witness.seen[place].get(record.offset)
            if seen is None or seen[0] != what:
                found.find(f"{where}: a default consumer saw {'nothing' if seen is None else 'something else'}")
            if what in distinct:
                found.repeats += 1
            distinct.add(what)
            if place[0] == INSTRUCTIONS and record.offset:
                content = json.loads(record.value or b"")
                attempt = (content["reference"], content["attempt"])
                if told.setdefault(attempt, _transfer(content)) != _transfer(content):
                    found.find(f"{where}: instructed otherwise before")
        beyond = [offset for offset in witness.seen[place] if offset >= expected]
        if beyond:
            found.find(f"{place}: a default consumer saw {len(beyond)} records beyond the end, from {min(beyond)} on")
    found.findings += [f"{where}: changed under a default consumer" for where in witness.changed]
    if said != told:
        missing, more = said.keys() - told.keys(), told.keys() - said.keys()
        found.find(f"instructions are not the log's: {len(missing)} missing, {len(more)} more: {[*missing, *more][:3]}")
    found.effects["instructions"] = len(told)


def _transfer(content: dict[str, Any]) -> tuple[str, str, str]:
    return content["asset"], content["recipient"], content["amount_minor"]


# --- what was aborted


async def _aborted(reader: Reader, found: Audit) -> None:
    """Count what was aborted in logs and inboxes, and that nothing ever was where outsiders read or write."""
    inside = [*(f"{service}.events" for service in SERVICES), *(f"{service}.inbox" for service in SERVICES)]
    for topic in (*inside, *_PUBLIC, OUTCOMES, INSTRUCTIONS):
        for partition, offsets in enumerate(await reader.aborted(topic)):
            if offsets and topic not in inside:
                found.find(f"{topic}/{partition}: {len(offsets)} aborted records, from {offsets[0]} on")
            found.aborted_records += len(offsets)
            if topic.endswith(".events"):
                # Each transaction ends with a marker, which has an offset of its own.
                ends = pairwise(offsets)
                found.aborted_transactions += bool(offsets) + sum(after != before + 1 for before, after in ends)
