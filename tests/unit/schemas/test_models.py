"""Generated schemas say what models accept and what services write: no more, no less."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas.claims import FileClaim
from schemas.envelope import Message
from schemas.governance import RegisterPrincipal
from schemas.payouts import PayoutInstructed
from schemas.pools import CoversLapsed, RequestCover
from tests.support.strategies import messages
from tools.schemas import catalogue
from tools.schemas.models import schema_of
from tools.schemas.samples import samples, variants

_MODELS = catalogue.messages()
_SCHEMAS = {wire: schema_of(model, written=catalogue.is_written(model)) for wire, model in _MODELS.items()}


def _validator(wire: str) -> Draft202012Validator:
    return Draft202012Validator(_SCHEMAS[wire])


def _is_taken(model: type[Message], content: object) -> bool:
    return bool(_validator(model.wire).is_valid(content))


@pytest.mark.parametrize("wire", _MODELS)
def test_a_schema_is_one__and_takes_what_the_model_writes(wire: str) -> None:
    model = _MODELS[wire]
    Draft202012Validator.check_schema(_SCHEMAS[wire])
    for sample in samples(model, written=catalogue.is_written(model)):
        _validator(wire).validate(json.loads(sample))
    for variant in variants(model) if catalogue.is_written(model) else ():
        _validator(wire).validate(json.loads(variant.to_bytes()))


@settings(max_examples=100)
@given(st.sampled_from([model for model in _MODELS.values() if model.__module__.startswith("schemas.")]), st.data())
def test_whatever_a_model_holds__its_schema_takes_what_it_writes(model: type[Message], data: st.DataObject) -> None:
    held = data.draw(messages(model))
    _validator(model.wire).validate(json.loads(held.to_bytes()))


_CLAIM = {"cover": "C-17", "claimant": f"eip155:1:0x{1:040x}", "incident": "curve-lp/1", "amount_minor": "100"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_minor", 100),
        ("amount_minor", "0"),
        ("amount_minor", "0100"),
        ("amount_minor", "1.5"),
        ("claimant", f"eip155:1:0x{'AB' * 20}"),
        ("incident", "curve-lp"),
        ("evidence", [{"sha256": "00"}]),
        ("note", "an unknown field"),
    ],
)
def test_what_the_model_refuses_of_an_input__the_schema_refuses(field: str, value: object) -> None:
    assert _is_taken(FileClaim, _CLAIM)
    with pytest.raises(ValueError, match=field):
        FileClaim.model_validate_json(json.dumps({**_CLAIM, field: value}))
    assert not _is_taken(FileClaim, {**_CLAIM, field: value})


def test_capital_is_bounded__in_the_schema_as_in_the_model() -> None:
    assert json.loads(samples(RequestCover, written=False)[0])["amount_minor"] == "1000000"
    request = json.loads(samples(RequestCover, written=False)[0])
    assert _is_taken(RequestCover, {**request, "amount_minor": "9" * 39})
    assert not _is_taken(RequestCover, {**request, "amount_minor": "9" * 40})
    assert not _is_taken(RequestCover, {**request, "amount_minor": "0"})
    assert _is_taken(RequestCover, {**request, "premium_max_minor": "0"})


def test_an_input_may_leave_fields_away__what_is_written_never_does() -> None:
    assert "accounts" not in _SCHEMAS[RegisterPrincipal.wire]["required"]
    assert "pool" in _SCHEMAS[PayoutInstructed.wire]["required"]


def test_instants_are_taken_as_rfc_3339__and_written_in_one_spelling() -> None:
    accepted = Draft202012Validator(_SCHEMAS["incident.report.v1"]["$defs"]["Instant"])
    written = Draft202012Validator(_SCHEMAS["incident.opened.v1"]["$defs"]["Instant"])
    for spelled in ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.5+01:00"):
        assert accepted.is_valid(spelled)
        assert not written.is_valid(spelled)
    assert not accepted.is_valid("2026-03-01 12:00:00")
    assert written.is_valid("2026-03-01T12:00:00.000Z")


def test_keys_of_a_map_are_held_too() -> None:
    lapsed = json.loads(samples(CoversLapsed, written=True)[0])
    assert _is_taken(CoversLapsed, lapsed)
    assert not _is_taken(CoversLapsed, {**lapsed, "amounts_minor": {"no name": "1"}})
