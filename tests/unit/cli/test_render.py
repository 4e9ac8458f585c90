"""How outcomes and instructions read."""

import pytest

from schemas.instants import parse_instant
from schemas.outcomes import ArithmeticStep, InputOutcome, NextStep, PayoutInstruction, Refusal
from services.cli import render
from services.cli.console import printable, wrapped

AT = parse_instant("2026-03-01T12:00:00Z")
POSITION = "claim.filings@0123456789abcdef/1/7"


def outcome(**changed: object) -> InputOutcome:
    held = {
        "input_id": "filing-1",
        "position": POSITION,
        "log_position": "claims.events/1/9",
        "fate": "decided",
        "at": AT,
        "key": "cover/c-1",
    }
    return InputOutcome.model_validate({**held, **changed})


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        (
            {"events": ("claim.filed.v1",), "next": NextStep(step="the ballot closes", due_at=AT)},
            [
                "decided    filing-1  cover/c-1  claim.filed.v1",
                "           next      the ballot closes; by 2026-03-01T12:00:00.000Z",
            ],
        ),
        (
            {
                "fate": "refused",
                "refusal": Refusal(rule="claim.too-early", value="a filing of today", accepted="later", not_before=AT),
            },
            [
                "refused    filing-1  cover/c-1  claim.too-early",
                "           value     a filing of today",
                "           accepted  later",
                "           from      2026-03-01T12:00:00.000Z",
            ],
        ),
        (
            {"fate": "duplicate", "of": POSITION},
            ["duplicate  filing-1  of claim.filings/1/7, which was decided before"],
        ),
        (
            {"fate": "forwarded", "reason": "forwarded to partition 2"},
            ["forwarded  filing-1  cover/c-1  forwarded to partition 2"],
        ),
        (
            {"fate": "set-aside", "reason": "not-json: no\x1b[2J value"},
            ["set-aside  filing-1  cover/c-1  not-json: no\\x1b[2J value"],
        ),
        ({"fate": "no-effect"}, ["no-effect  filing-1  cover/c-1  claim.filings/1/7"]),
    ],
)
def test_outcome__reads(changed: dict[str, object], lines: list[str]) -> None:
    assert render.outcome(outcome(**changed)) == lines


def test_instruction__says_what_to_transfer_to_whom() -> None:
    instruction = PayoutInstruction(
        reference="c-1/1/1",
        attempt=2,
        claim="c-1/1",
        cover="c-1",
        asset="eip155:1/erc20:0x" + "a0" * 20,
        recipient="eip155:1:0x" + "11" * 20,
        amount_minor=7,
        arithmetic=(ArithmeticStep(rule="r", inputs={}, result_minor="7"),),
    )
    assert render.instruction(instruction) == [
        f"instruct   c-1/1/1, attempt 2: 7 of eip155:1/erc20:0x{'a0' * 20}",
        f"           to        eip155:1:0x{'11' * 20}",
    ]


def test_long_text__is_wrapped_beside_its_label_within_100_columns() -> None:
    lines = wrapped("label ", "word " * 100, indent=4)
    assert len(lines) > 1
    assert max(map(len, lines)) <= 100
    assert {line[:10] for line in lines} == {"    label ", " " * 10}


def test_strangers_text__cannot_steer_a_terminal_or_begin_a_line() -> None:
    assert printable("a\nb\x1b[0m\u202e\x00é") == "a\\nb\\x1b[0m\\u202e\\x00é"
