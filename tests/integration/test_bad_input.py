"""Bad input of every stream: refused with what would be accepted, or set aside with its cause. Nothing stops for it."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from services.kernel.partitioner import partition_of
from tests.integration import world
from tests.integration.conftest import new_key
from tests.integration.processes import Up, run_up, wait_for_instruction
from tests.integration.world import AMOUNT, ASSESSORS, BOT, FILER, STRANGER, Line
from tests.support.command import Answer, adjudex

IMPOSTER, NOBODY = "imposter", "nobody"
PAID, OPEN = "c-1", "c-2"
TWO_256 = str(2**256)
NEAR = next(
    f"n-{number}" for number in range(99) if partition_of(f"cover/n-{number}", 2) == partition_of("cover/k-1", 2)
)
TWIN = "c-8"
STRAYS = [f"stray/{number}" for number in range(99)]
WANTED: dict[str, Line] = {
    "governance.actions": world.govern(
        "stake.set-terms.v1",
        "terms",
        asset=world.ASSET,
        stake_min_minor="5",
        notice="1s",
        payout=world.rulebook()["claim"]["payout"],
    ),
    "incident.reports": world.report("fine", world.PRODUCTS[1]),
    "cover.registrations": world.register("c-9"),
    "claim.filings": world.file("c-4", "vault-a/1"),
    "assessor.votes": world.vote(f"{OPEN}/1", ASSESSORS[0]),
    "payout.receipts": world.line(
        "payout.receipts",
        "receipt.submitted.v1",
        "submitted",
        {"payout": f"{PAID}/1/1", "attempt": 1, "transaction": "0x1"},
    ),
}
"""An input of each stream that is accepted."""
AMOUNTS = {
    "governance.actions": "stake_min_minor",
    "cover.registrations": "amount_minor",
    "claim.filings": "amount_minor",
    "payout.receipts": "amount_minor",
}
FIRST_FIELD = {
    "governance.actions": "asset",
    "incident.reports": "product",
    "cover.registrations": "cover",
    "claim.filings": "cover",
    "assessor.votes": "case",
    "payout.receipts": "payout",
}


class Row(NamedTuple):
    """Lines that are posted, and what must become of the last of them: `rule` is a refusal's, or a cause."""

    lines: list[Line]
    fate: str
    rule: str = ""

    @property
    def fates(self) -> list[str]:
        """All fates: what is forwarded is decided where it belongs."""
        return [self.fate, "decided"] if self.fate == "forwarded" else [self.fate]


def changed(line: Line, identifier: str, **content: object) -> Line:
    """Change the content of a line, under another id."""
    return {**line, "id": identifier, "content": {**line["content"], **content}}


def raw(line: Line, identifier: str, value: str, wire: str | None = None) -> Line:
    """Post bytes instead of content."""
    kept = {name: held for name, held in line.items() if name != "content"}
    return {**kept, "id": identifier, "raw": value, "type": wire or line["type"]}


def of_every_stream() -> dict[str, Row]:
    """What can be wrong with any input."""
    rows: dict[str, Row] = {}
    for stream, fine in WANTED.items():
        other = next(name for name in WANTED if name != stream)
        first = FIRST_FIELD[stream]

        def name(what: str, stream: str = stream) -> str:
            return f"{stream}: {what}"

        lacking = {field: value for field, value in fine["content"].items() if field != first}
        rows |= {
            name("not JSON"): Row([raw(fine, name("not-json"), "{]")], "set-aside", "not-json"),
            name("not even text"): Row([raw(fine, name("no-text"), "\udcff\udcfe")], "set-aside", "not-json"),
            name("JSON, but no object"): Row([raw(fine, name("list"), "[1]")], "refused", "schema.value"),
            name("field missing"): Row(
                [{**fine, "id": name("lacking"), "content": lacking}], "refused", f"schema.{first}"
            ),
            name("field too many"): Row([changed(fine, name("more"), colour="red")], "refused", "schema.colour"),
            name("field of another kind"): Row(
                [changed(fine, name("kind"), **{first: 7})], "refused", f"schema.{first}"
            ),
            name("unknown type"): Row(
                [{**fine, "id": name("type"), "type": "nothing.v1"}], "set-aside", "unknown-type"
            ),
            name("another stream's"): Row(
                [{**WANTED[other], "stream": stream, "id": name("o")}], "set-aside", "unknown-type"
            ),
            name("too large"): Row([raw(fine, name("large"), " " * 256_000)], "set-aside", "too-large"),
            name("id no header can have"): Row([{**fine, "id": "x" * 513}], "set-aside", "header-not-text"),
            name("again"): Row([fine, fine], "duplicate"),
            name("same id, other content"): Row(
                [fine, raw(fine, fine["id"], json.dumps(fine["content"]) + " ")], "refused", "input.id-reused"
            ),
        }
    return rows


def of_amounts() -> dict[str, Row]:
    """What an amount cannot be."""
    rows = {}
    confirmed = world.confirm(f"{PAID}/1")
    for stream, field in AMOUNTS.items():
        fine = confirmed if stream == "payout.receipts" else WANTED[stream]
        for what, amount in {
            "negative": "-1",
            "negative number": -1,
            "fractional": "1.5",
            "fractional number": 1.5,
            "2^256": TWO_256,
            "2^256 as a number": 2**256,
            "hexadecimal": "0x10",
            "leading zero": "007",
            "empty": "",
        }.items():
            name = f"{stream}: amount {what}"
            rows[name] = Row([changed(fine, name, **{field: amount})], "refused", f"schema.{field}")
    for stream in ("cover.registrations", "claim.filings"):
        name = f"{stream}: amount zero"
        rows[name] = Row([changed(WANTED[stream], name, amount_minor="0")], "refused", "schema.amount_minor")
    return rows


def refused(line: Line, identifier: str, rule: str, **content: object) -> Row:
    """Expect a refusal."""
    return Row([changed(line, identifier, **content)], "refused", rule)


def of_subjects_and_times() -> dict[str, Row]:
    """What does not exist, and what is not yet."""
    report, register, file = (WANTED[name] for name in ("incident.reports", "cover.registrations", "claim.filings"))
    product = next(line for line in world.market() if line["type"] == "product.list.v1")
    future, garbled = world.instant(days=-1), "2026-13-45T00:00:00Z"
    return {
        "unknown rulebook": refused(product, "u1", "product.rulebook-unknown", product="vault-x", rulebook="none@1"),
        "unknown product": refused(report, "u2", "report.product-unknown", product="nowhere", reference="u2"),
        "unknown product of a cover": refused(register, "u3", "cover.product-unknown", cover="u3", product="nowhere"),
        "unknown cover": refused(file, "u4", "claim.cover-unknown", cover="nowhere"),
        "unknown incident": refused(file, "u5", "claim.incident-unknown", incident="vault-a/99"),
        "unknown case": refused(WANTED["assessor.votes"], "u6", "vote.case-unknown", case="claim/nowhere/1"),
        "unknown payout": refused(WANTED["payout.receipts"], "u7", "receipt.payout-unknown", payout="nowhere/1/1"),
        "future report": refused(report, "t1", "report.in-future", reference="t1", occurred_at=future),
        "no instant": refused(report, "t2", "schema.occurred_at", reference="t2", occurred_at=garbled),
        "no offset": refused(report, "t3", "schema.occurred_at", reference="t3", occurred_at="2026-01-01T00:00:00"),
        "cover ends first": refused(
            register, "t4", "cover.period-empty", cover="t4", expires_at=world.instant(days=99)
        ),
        "more than remains": refused(
            file, "a1", "claim.amount-above-remaining", cover="c-6", amount_minor=str(AMOUNT + 1)
        ),
        "other amount paid": Row(
            [changed(world.confirm(f"{PAID}/1"), "a2", amount_minor="1")], "refused", "receipt.mismatch"
        ),
    }


def of_senders() -> dict[str, Row]:
    """Who may not say what."""
    report, file = WANTED["incident.reports"], WANTED["claim.filings"]
    unproven = {field: value for field, value in file.items() if field != "as"}
    return {
        "no voucher": Row([{**unproven, "id": "p1"}], "refused", "proof.missing"),
        "forged voucher": Row([{**report, "id": "p2", "as": IMPOSTER}], "refused", "proof.forged"),
        "unknown principal": Row([{**report, "id": "p3", "as": NOBODY}], "refused", "proof.principal-unknown"),
        "stream not allowed": Row([{**file, "id": "p4", "as": BOT}], "refused", "principal.stream-not-allowed"),
        "somebody else's account": Row(
            [{**changed(file, "p5", claimant=STRANGER), "as": FILER}], "refused", "principal.account-not-allowed"
        ),
        "somebody else's cover": refused(file, "p6", "claim.not-holder", claimant=STRANGER),
        "forged voucher on an owned stream": Row(
            [{**WANTED["cover.registrations"], "id": "p7", "as": IMPOSTER}], "refused", "proof.forged"
        ),
        "not the owner of a stream": Row(
            [{**WANTED["cover.registrations"], "id": "p8", "as": BOT}], "refused", "principal.stream-not-allowed"
        ),
    }


def of_keys() -> dict[str, Row]:
    """Where an input does not belong: its key is computed from its content, and it is sent on where that belongs."""
    rows = {}
    for name, key, far, near in (
        ("cover", "cover/k-1", world.register("k-1"), world.register(NEAR)),
        ("report", "product/vault-a", world.report("k-2"), world.report("k-3")),
        ("filing", "cover/c-5", world.file("c-5", "vault-a/1", "k-5"), world.file(TWIN, "vault-a/1", "k-6")),
    ):
        away, home = (
            next(stray for stray in STRAYS if (partition_of(stray, 2) == partition_of(key, 2)) is at_home)
            for at_home in (False, True)
        )
        rows[f"{name}: wrong key, other partition"] = Row(
            [{**far, "key": away, "partition": partition_of(away, 2)}], "forwarded"
        )
        rows[f"{name}: wrong key, own partition"] = Row([{**near, "key": home}], "decided")
        rows[f"{name}: no key"] = Row([{**near, "key": None, "partition": partition_of(key, 2)}], "duplicate")
    return rows


TABLE = {**of_every_stream(), **of_amounts(), **of_subjects_and_times(), **of_senders(), **of_keys()}


@pytest.fixture(scope="session")
def said(market_made: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Answer]]:
    """Post the whole table to one process, and return what was answered to each row's last line."""
    data = Path(shutil.copytree(market_made, tmp_path_factory.mktemp("bad") / "space"))
    run_up(data, [world.report("r-1"), *(world.register(f"c-{number}") for number in range(1, 9))])
    run_up(data, [world.file(PAID, "vault-a/1"), world.file(OPEN, "vault-a/1")])
    run_up(data, [world.vote(f"{PAID}/1", assessor) for assessor in ASSESSORS])
    wait_for_instruction(data)
    run_up(data, [new_key(data, IMPOSTER, "--account", "*")])
    (data / "keys" / f"{IMPOSTER}.pem").unlink()
    for name in (IMPOSTER, NOBODY):
        new_key(data, name, "--account", "*")

    with Up(data, "--until-idle") as up:
        up.post([line for row in TABLE.values() for line in row.lines])
        up.end_input()
        told = up.rest()
        assert [answer for answer in told if "error" in answer or "stopped" in answer] == []
        assert up.process.wait() == 0
    assert adjudex("log", "verify", "--data", data).returncode == 0
    return by_row(told)


def by_row(told: list[Answer]) -> dict[str, list[Answer]]:
    """Sort outcomes by the row whose last line they are about."""
    outcomes = [answer["outcome"] for answer in told if "outcome" in answer]
    positions = iter([answer["position"] for answer in told if "accepted" in answer])
    found = {}
    for name, row in TABLE.items():
        last = [next(positions) for _ in row.lines][-1]
        about = [outcome for outcome in outcomes if outcome["position"] == last]
        followed = [
            held for held in outcomes if held["input_id"] == row.lines[-1]["id"] and ".inbox@" in held["position"]
        ]
        found[name] = [*about, *followed]
    return found


@pytest.mark.parametrize("name", TABLE)
def test_bad_input__answered_with_what_would_be_accepted(name: str, said: dict[str, list[Answer]]) -> None:
    row, outcomes = TABLE[name], said[name]
    assert [outcome["fate"] for outcome in outcomes] == row.fates, outcomes
    CHECKS[row.fate](row, outcomes[0])


def check_refused(row: Row, outcome: Answer) -> None:
    refusal = outcome["refusal"]
    assert refusal["rule"] == row.rule
    assert refusal["accepted"]
    assert refusal["value"]
    assert outcome["events"][0] == "refused.v1"


def check_set_aside(row: Row, outcome: Answer) -> None:
    cause, _, reason = outcome["reason"].partition(": ")
    assert cause == row.rule
    assert reason
    assert outcome["events"] == ["input.set-aside.v1"]


def check_duplicate(row: Row, outcome: Answer) -> None:
    assert outcome["of"].startswith(row.lines[0]["stream"] + "@")


def check_decided(row: Row, outcome: Answer) -> None:
    assert outcome["key"] != row.lines[-1]["key"]


def check_forwarded(row: Row, outcome: Answer) -> None:
    assert outcome["reason"] == f"forwarded to partition {1 - row.lines[-1]['partition']}"


CHECKS = {
    "refused": check_refused,
    "set-aside": check_set_aside,
    "duplicate": check_duplicate,
    "decided": check_decided,
    "forwarded": check_forwarded,
}
