"""Golden bytes of every message: each version is read for ever, and written as it was."""

import json

import pytest
from jsonschema import Draft202012Validator

from schemas.envelope import current_wire, decode, upcasts
from tools.schemas import catalogue, golden
from tools.schemas.__main__ import ROOT, Tree

_TREE = Tree(ROOT)
_STORED = golden.load(_TREE.golden)
_MODELS = catalogue.messages()
_NEWEST = {stored.wire: stored for stored in _STORED}


def _spelled(stored: golden.Golden) -> str:
    return f"{stored.wire}-{_STORED.index(stored)}"


@pytest.mark.parametrize("stored", _STORED, ids=_spelled)
def test_golden_bytes_are_read__and_written_as_they_were(stored: golden.Golden) -> None:
    content = decode(stored.wire, stored.value.encode())
    assert content.wire == current_wire(stored.wire)
    if stored.wire != content.wire:
        return  # an older version: what it is read as is written in its new form
    written = json.loads(content.to_bytes())
    if stored is _NEWEST[stored.wire]:
        assert content.to_bytes().decode() == stored.value
    else:
        # An input may have got fields since, which may be left away.
        assert {name: written[name] for name in json.loads(stored.value)} == json.loads(stored.value)


def test_every_version_of_every_message_has_golden_bytes() -> None:
    assert {stored.wire for stored in _STORED} == _MODELS.keys() | _past()


def _past() -> set[str]:
    """Versions that only an upcast reads; those of tests are theirs."""
    return {wire for wire, (new, _) in upcasts().items() if current_wire(new) in _MODELS}


@pytest.mark.parametrize("wire", _MODELS)
def test_golden_bytes_name_every_field(wire: str) -> None:
    assert list(json.loads(_NEWEST[wire].value)) == list(_MODELS[wire].model_fields)


@pytest.mark.parametrize("wire", _NEWEST)
def test_golden_bytes_fit_the_schema_that_was_generated_for_them(wire: str) -> None:
    schema = json.loads((_TREE.messages / f"{wire}.json").read_text(encoding="utf-8"))
    for stored in _STORED:
        if stored.wire == wire:
            Draft202012Validator(schema).validate(json.loads(stored.value))
