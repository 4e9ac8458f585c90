"""The JSON Schema of scenario files, for editors that complete and check TOML."""

import json
from typing import Any

from schemas.instants import format_duration, format_instant
from services.cli.scenario.model import TYPES, Scenario

SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file."""
    schema = Scenario.model_json_schema(by_alias=True)
    post = schema["$defs"]["PostStep"]["properties"]["post"]
    post["enum"] = sorted(TYPES)
    # Defaults as a file spells them.
    for node, spell in (
        (schema["properties"]["start"], format_instant),
        (schema["$defs"]["CoverPart"]["properties"]["period"], format_duration),
        (schema["$defs"]["CoverPart"]["properties"]["age"], format_duration),
        (schema["$defs"]["StakeTermsPart"]["properties"]["notice"], format_duration),
    ):
        node["default"] = spell(node["default"])
    return {"$schema": SCHEMA, "title": "Adjudex scenario", **{k: v for k, v in schema.items() if k != "title"}}


def scenario_schema_text() -> str:
    """Return it as the text of `schemas/generated/scenario.schema.json`."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"
