"""The comparison of two spaces: blind for when and where, and for nothing else."""

import asyncio

import orjson
import pytest

from schemas.envelope import Record
from services.cli.demo.alike import compare, plainly
from services.cli.demo.run import Demonstration
from services.cli.demo.scene import Quiet
from services.cli.demo.stage import EmbeddedStage
from services.kernel.export import Export, read_export

HASH = "7f16f3a1b15b51d4a57b0846e5b5f2272d8bf95a5855de6fbd191c83d8ca0b44"


@pytest.mark.parametrize(
    ("content", "plain"),
    [
        ("2026-03-09T10:02:00.000Z", "<instant>"),
        ("it ended at 2026-03-09T10:02:00.000Z, and", "it ended at <instant>, and"),
        ("claim.filings@d92314522c76547c/1/4", "claim.filings@<position>"),
        ("d92314522c76547c", "<incarnation>"),
        (HASH, "<sha256>"),
        ("3d", "<duration>"),
        ("1d12h", "<duration>"),
        ('{"window":"72h"}', '{"window":"<duration>"}'),
        ("0x" + HASH, "0x" + HASH),  # a transaction on the chain
        ("eip155:1:0x82c33b3d527090f99995e8aaf31c2563b00d632d", "eip155:1:0x82c33b3d527090f99995e8aaf31c2563b00d632d"),
        ("25000000000", "25000000000"),
        ("house@1", "house@1"),
        ("cover-3d", "cover-3d"),
        (4, 4),
        ({"a": ["1h", None, True]}, {"a": ["<duration>", None, True]}),
    ],
)
def test_what_says_when_where_or_by_which_bytes_is_replaced(content: object, plain: object) -> None:
    assert plainly(content) == plain


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    folder = tmp_path_factory.mktemp("story")
    stage = EmbeddedStage(folder / "space.sqlite")

    async def play() -> None:
        await Demonstration(stage, Quiet()).play()
        with (folder / "export.jsonl").open("wb") as file:
            await stage.export(file)

    try:
        asyncio.run(play())
    finally:
        stage.close()
    with (folder / "export.jsonl").open("rb") as file:
        return read_export(file)


def changed(export: Export, wire: str, **changes: object) -> Export:
    """The same with the first event of a type changed."""
    found = {place: list(records) for place, records in export.records.items()}
    for records in found.values():
        for number, record in enumerate(records):
            if dict(record.headers)["ce_type"].decode() == wire and record.topic.endswith(".events"):
                content = orjson.loads(record.value or b"") | changes
                records[number] = record._replace(value=orjson.dumps(content))
                return Export(export.space, export.topics, found, [])
    raise AssertionError(wire)


def test_same_story__alike(export: Export) -> None:
    compared = compare(export, export)
    assert not compared.differences
    assert compared.aggregates > 20
    assert compared.events > 150


@pytest.mark.parametrize("changes", [{"closes_at": "2031-01-01T00:00:00.000Z"}, {"closes_early_at": None}])
def test_another_instant_is_the_same__none_is_not(export: Export, changes: dict[str, object]) -> None:
    compared = compare(export, changed(export, "ballot.opened.v1", **changes))
    assert bool(compared.differences) == (None in changes.values())


def test_another_amount__named(export: Export) -> None:
    compared = compare(export, changed(export, "claim.approved.v1", amount_minor="1"))
    assert len(compared.differences) == 1
    assert compared.differences[0].startswith("claims.events cover/harbor-pool.")
    assert compared.differences[0].endswith(" here, 1 there")


def test_missing_event__named(export: Export) -> None:
    def without(records: list[Record]) -> list[Record]:
        return [record for record in records if dict(record.headers)["ce_type"] != b"claim.paid.v1"]

    shorter = {place: without(records) for place, records in export.records.items()}
    compared = compare(export, Export(export.space, export.topics, shorter, []))
    assert (
        compared.differences[0]
        == "claims.events cover/harbor-pool.1, event 7: claim.paid.v1 here, claim.allocated.v1 there"
    )


def test_answers_of_partitions_in_another_order__alike(export: Export) -> None:
    def turned(records: list[Record]) -> list[Record]:
        places = [
            number
            for number, record in enumerate(records)
            if dict(record.headers)["ce_type"] == b"stake.withdrawal-answered.v1"
        ]
        found = list(records)
        for place, other in zip(places, reversed(places), strict=True):
            found[place] = records[other]
        return found

    other = {place: turned(records) for place, records in export.records.items()}
    assert other != export.records
    assert not compare(export, Export(export.space, export.topics, other, [])).differences
