"""The AsyncAPI document: the official parser takes it, and it says what really travels."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator

from schemas.topics import OWNED, SERVICES, TELLS, TOPICS
from services.cli.access import Outsiders, rights
from services.embedded import Embedded
from services.kernel.clock import VirtualClock
from services.kernel.export import record_json
from services.kernel.memory_store import MemoryStore
from services.kernel.partitioner import partition_of
from services.kernel.wire import input_record
from services.registry import RELAY, TOPIC_NAMES, VIEWS, decision_services, new_space
from tests.support.command import adjudex
from tools.schemas import asyncapi, catalogue
from tools.schemas.__main__ import ROOT

_INSTALLED = ROOT / "build" / "asyncapi"
_PERMISSIVE = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Python-2.0"}
_DOCUMENT = asyncapi.document("0.0.0")
_CHANNELS = _DOCUMENT["channels"]


def _parse(document: object, folder: Path) -> dict[str, Any]:
    assert (_INSTALLED / "node_modules").is_dir(), "the parser is not installed: run `make build/asyncapi/.installed`"
    file = folder / "asyncapi.json"
    file.write_text(json.dumps(document))
    command = ["node", str(ROOT / "tools" / "asyncapi" / "validate.cjs"), str(_INSTALLED), str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout, ended.stderr
    answer: dict[str, Any] = json.loads(ended.stdout)
    assert ended.returncode == (0 if answer["accepted"] else 1)
    return answer


def test_packages_of_the_parser_bind_nobody__and_name_no_host_to_fetch_them_from() -> None:
    """They are used in tests and never shipped."""
    held = json.loads((ROOT / "tools" / "asyncapi" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in held["packages"].items() if name}
    assert {package["license"] for package in packages.values()} <= _PERMISSIVE
    assert all("integrity" in package and "resolved" not in package for package in packages.values())
    wanted = json.loads((ROOT / "tools" / "asyncapi" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(packages[f"node_modules/{name}"]["version"] == version for name, version in wanted.items())


@pytest.mark.timeout(300)  # seconds on a machine that has nothing else to do
def test_the_official_parser_takes_the_document(tmp_path: Path) -> None:
    answer = _parse(_DOCUMENT, tmp_path)
    assert answer["findings"] == []
    assert answer["version"] == "3.1.0"
    assert sorted(answer["channels"]) == sorted(f"{{space}}.{topic.name}" for topic in TOPICS)
    assert sorted(answer["operations"]) == sorted(_DOCUMENT["operations"])


@pytest.mark.timeout(300)
def test_the_official_parser_refuses_a_document__when_a_channel_is_missing(tmp_path: Path) -> None:
    reading = _DOCUMENT["operations"]["claims.reads.claim.filings"]
    document = {**_DOCUMENT, "channels": {}, "components": {}, "operations": {"reading": reading}}
    answer = _parse(document, tmp_path)
    assert not answer["accepted"]
    assert any("reading" in finding["where"] for finding in answer["findings"])


def test_channels_say_who_writes_and_reads__as_rights_are_granted() -> None:
    """Whoever the document says writes or reads a topic is let to by `topics apply --acls`."""
    public = [topic.name for topic in TOPICS if topic.kind == "input" and topic.name not in OWNED]
    granted = rights(new_space("main", 1), Outsiders({"producers": public}, ["readers"]))
    for name, channel in _CHANNELS.items():
        for operation, said in (("write", channel["x-written-by"]), ("read", channel["x-read-by"])):
            have = {
                acl.principal.removeprefix("User:")
                for acl in granted
                if acl.kind == "topic" and acl.name == f"main.{name}" and acl.operation == operation
            }
            assert set(said) <= have, f"{name} {operation}"


def test_what_services_tell_each_other_is_within_what_they_may() -> None:
    assert {(told.sender, told.receiver) for told in catalogue.told()} == {
        (sender, receiver) for sender, receivers in TELLS.items() for receiver in receivers
    }


def test_every_message_that_a_service_sends_has_a_sender() -> None:
    sent = {told.message.wire for told in catalogue.told()}
    unsent = {wire for wire, model in catalogue.messages().items() if catalogue.role(model) == "message"} - sent
    assert unsent == set()


def test_every_service_has_its_operations() -> None:
    operations = _DOCUMENT["operations"]
    for service in decision_services():
        assert f"{service.name}.writes.{service.log}" in operations
        for topic in service.topics:
            assert operations[f"{service.name}.reads.{topic}"]["action"] == "receive"
    assert {operation["tags"][0]["name"] for operation in operations.values()} == {*SERVICES, RELAY, VIEWS}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Every record of the demonstration."""
    folder = tmp_path_factory.mktemp("demo")
    assert adjudex("demo", "--data", folder / "data").returncode == 0
    file = folder / "export.jsonl"
    assert adjudex("log", "export", "--data", folder / "data", "--to", file).returncode == 0
    lines = (json.loads(line)["line"] for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if "topic" in line]


def test_what_travels_is_what_the_document_says(records: list[dict[str, Any]]) -> None:
    wrong = [finding for record in records for finding in _findings(record)]
    assert wrong == []
    assert {record["topic"] for record in records} == _CHANNELS.keys()


def test_an_input_in_another_partition_than_its_key_s__is_forwarded_as_the_document_says() -> None:
    report = {"product": "vault", "reference": "r-1", "occurred_at": "2026-03-01T12:00:00Z", "summary": "drained"}
    away = 1 - partition_of("product/vault", 2)
    sent = input_record(
        "incident.reports", away, None, id="r", source="bot", wire="incident.report.v1", value=orjson.dumps(report)
    )
    store = MemoryStore("example", TOPIC_NAMES, 2, VirtualClock(1_772_366_400_000), lambda _: "0123456789abcdef")

    async def inbox() -> list[dict[str, Any]]:
        embedded = Embedded(new_space("example", 2), store)
        await embedded.put([sent])
        await embedded.settle()
        return [record_json(record) async for batch in store.read("incidents.inbox", 1 - away) for record in batch]

    _, forwarded = asyncio.run(inbox())
    assert dict(forwarded["headers"])["ce_stream"] == "incident.reports"
    assert list(_findings(forwarded)) == []
    for header in ("ce_stream", "ce_forwardedfrom"):
        lacking = {**forwarded, "headers": [pair for pair in forwarded["headers"] if pair[0] != header]}
        assert header in next(_findings(lacking))


def _findings(record: dict[str, Any]) -> Iterator[str]:
    """Hold a record's headers, key and value against its channel; inputs may be anything: their senders' matter."""
    channel = _CHANNELS[record["topic"]]
    headers = dict(record["headers"])
    wire = headers.get("ce_type")
    where = f"{record['topic']}/{record['partition']}/{record['offset']} {wire}"
    if channel["x-kind"] == "input" and wire != "topic.started.v1":
        return
    if wire not in channel["messages"]:
        yield f"{where}: not in the channel"
        return
    message = channel["messages"][wire]
    key = message["bindings"]["kafka"]["key"]
    for schema, value in (
        (message["headers"], headers),
        (key, record["key"]),
        (message["payload"], json.loads(record["value"])),
    ):
        for error in Draft7Validator({**schema, "components": _DOCUMENT["components"]}).iter_errors(value):
            yield f"{where}: {error.json_path}: {error.message[:200]}"
