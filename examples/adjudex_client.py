"""What every client of Adjudex needs. Copy it: it follows from docs/wire.md and imports nothing of Adjudex."""

import argparse
import asyncio
import hashlib
import os
import ssl
import struct
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

Json = dict[str, Any]
_ENVIRONMENT = """environment, for the cluster's security:
  ADJUDEX_KAFKA_SECURITY_PROTOCOL                      PLAINTEXT (default), SSL, SASL_PLAINTEXT, SASL_SSL
  ADJUDEX_KAFKA_SASL_MECHANISM                         SCRAM-SHA-512 (default), SCRAM-SHA-256, PLAIN
  ADJUDEX_KAFKA_USERNAME, _PASSWORD or _PASSWORD_FILE  who logs in
  ADJUDEX_KAFKA_CA_FILE, _CERTIFICATE_FILE, _KEY_FILE  PEM files for TLS"""


def options(description: str) -> argparse.ArgumentParser:
    """Begin a command line with what every client is told: which cluster, space and key."""
    parser = argparse.ArgumentParser(None, None, description, _ENVIRONMENT, (), argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kafka", metavar="HOST:PORT,…", help="the cluster (default: what ADJUDEX_KAFKA says)")
    parser.add_argument("--space", required=True, help="the space: topics are called SPACE.STREAM")
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key (PEM, as `adjudex key new` makes it)")
    parser.add_argument("--as", dest="principal", metavar="NAME", help="whose key it is (default: the file's name)")
    return parser


def connection(bootstrap: str | None) -> Json:
    """Return what each client of aiokafka is given, from --kafka and the environment; raises ValueError, OSError."""
    told = {name.removeprefix("ADJUDEX_KAFKA"): value for name, value in os.environ.items() if value}
    addresses, protocol = bootstrap or told.get(""), told.get("_SECURITY_PROTOCOL", "PLAINTEXT").upper()
    if not addresses:
        raise ValueError("which cluster? Say it with --kafka HOST:PORT or in ADJUDEX_KAFKA")
    given: Json = {"bootstrap_servers": addresses.split(","), "security_protocol": protocol}
    if protocol.startswith("SASL"):
        file, password = told.get("_PASSWORD_FILE"), told.get("_PASSWORD", "")
        given["sasl_mechanism"] = told.get("_SASL_MECHANISM", "SCRAM-SHA-512").upper()
        given["sasl_plain_username"] = told.get("_USERNAME", "")
        given["sasl_plain_password"] = password or (Path(file).read_text(encoding="utf-8").strip() if file else "")
    if protocol.endswith("SSL"):
        given["ssl_context"] = context = ssl.create_default_context(cafile=told.get("_CA_FILE"))
        if "_CERTIFICATE_FILE" in told:
            context.load_cert_chain(told["_CERTIFICATE_FILE"], told.get("_KEY_FILE"))
    return given


async def check(kafka: Json, *topics: str) -> None:
    """Say in one line what is wrong with address, login or space, where clients would go on trying; raises."""
    admin = AIOKafkaAdminClient(**kafka)
    try:
        await admin.start()
        missing = set(topics) - set(await admin.list_topics())
    finally:
        await admin.close()
    if missing:
        raise ValueError(f"no topic {', '.join(sorted(missing))}, or no right to see it; is the space's name right?")


class Sender:
    """Who sends inputs: a registered principal with its key or, on an owned stream, nobody in particular."""

    def __init__(self, space: str, key: Path | None, principal: str | None = None) -> None:
        loaded = load_pem_private_key(key.read_bytes(), None) if key else None
        if not isinstance(loaded, Ed25519PrivateKey | None):
            raise ValueError(f"{key} is no Ed25519 key; `adjudex key new` makes one")  # noqa: TRY004 - a file's fault
        self.space, self.key, self.principal = space, loaded, principal or (key.stem if key else "")

    def headers(self, stream: str, wire: str, input_id: str, value: bytes) -> list[tuple[str, bytes]]:
        """Return the headers of an input, a CloudEvent in binary mode, with a voucher if there is a key."""
        source = f"/{self.space}/{self.principal or 'example'}"
        found = {"ce_id": input_id, "ce_source": source, "ce_specversion": "1.0", "ce_type": wire}
        if self.key:
            said = ("adjudex voucher v1", self.space, stream, input_id, wire, source)
            parts = [*(text.encode() for text in said), hashlib.sha256(value).digest()]
            signature = self.key.sign(b"".join(struct.pack(">I", len(part)) + part for part in parts))
            found["ce_proof"] = orjson.dumps({"principal": self.principal, "signature": signature.hex()}).decode()
        return [(name, text.encode()) for name, text in {**found, "content-type": "application/json"}.items()]


class Client:
    """Posts inputs and waits for what becomes of them. Use it with `async with`."""

    def __init__(self, sender: Sender, kafka: Json, timeout_s: float, tries: int) -> None:
        self.sender, self.kafka, self.timeout_s, self.tries = sender, kafka, timeout_s, tries

    async def __aenter__(self) -> Self:
        """Connect, and note where outcomes end: whatever is posted from now on is answered after that."""
        await check(self.kafka, f"{self.sender.space}.input.outcomes")
        # aiokafka's partitioner is murmur2 over the key, as Java's; librdkafka's default is another.
        self.producer = AIOKafkaProducer(**self.kafka, acks="all", enable_idempotence=True)
        self.outcomes = AIOKafkaConsumer(f"{self.sender.space}.input.outcomes", **self.kafka)
        await self.producer.start()
        await self.outcomes.start()
        await self.outcomes.seek_to_end()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close both connections."""
        await self.producer.stop()
        await self.outcomes.stop()

    async def post(self, stream: str, wire: str, input_id: str, key: str, content: Json) -> Json:
        """Post an input until it is answered, with the same id and bytes each time: that has one effect."""
        value, topic, places = orjson.dumps(content), f"{self.sender.space}.{stream}", set()
        headers = self.sender.headers(stream, wire, input_id, value)
        for _ in range(self.tries):
            stored = await self.producer.send_and_wait(topic, value, key.encode(), headers=headers)
            places.add((stream, f"{stored.partition}/{stored.offset}"))
            until = time.monotonic() + self.timeout_s
            while (left := until - time.monotonic()) > 0:
                fetched = await self.outcomes.getmany(timeout_ms=int(left * 1_000) + 1)
                for outcome in (outcome_of(record, places) for records in fetched.values() for record in records):
                    if outcome is not None:
                        return outcome
        raise TimeoutError(
            f"{input_id}: no answer in {self.tries} × {self.timeout_s:g} s; it may be sent again as it is"
        )


def outcome_of(record: Any, places: set[tuple[str, str]]) -> Json | None:  # noqa: ANN401 - aiokafka has no types
    """Read the outcome of an input that stands at one of these places. Not by its id: others may use that, too."""
    if ("ce_type", b"input.outcome.v1") not in record.headers:
        return None  # each partition begins with a `topic.started.v1`, and types may be added
    outcome: Json = orjson.loads(record.value)
    stream, _, rest = outcome["position"].partition("@")  # STREAM@INCARNATION/PARTITION/OFFSET
    return outcome if (stream, rest.partition("/")[2]) in places else None


def describe(outcome: Json) -> str:
    """Say in a few lines what became of an input."""
    refusal, following = outcome["refusal"] or {}, outcome["next"] or {}
    what = refusal.get("rule") or ", ".join(outcome["events"]) or outcome["of"] or outcome["reason"]
    lines = [f"{outcome['input_id']}: {outcome['fate']}: {what}"]
    lines += [f"  {name:9} {refusal[name]}" for name in ("value", "accepted", "not_before") if refusal.get(name)]
    lines += ["  not yet   the same input, id included, may be sent again"] if refusal.get("unknown") else []
    lines += [f"  next      {following['step']}; {following['due_at'] or 'no date'}"] if following else []
    return "\n".join(lines)


def run(main: Coroutine[Any, Any, int]) -> None:
    """Run a client and end the process: 0 all went well, 1 something was refused or is unanswered, 2 cannot work."""
    try:
        sys.exit(asyncio.run(main))
    except (KafkaError, ValueError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, TimeoutError) else 2)
    except KeyboardInterrupt:
        sys.exit(130)
