"""The JSON Schema of scenario files, for editors that complete and check TOML."""

import json
from typing import Any

from services.cli.scenario.model import TYPES, Scenario

SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file."""
    schema = Scenario.model_json_schema(by_alias=True)
    post = schema["$defs"]["PostStep"]["properties"]["post"]
    post["enum"] = sorted(TYPES)
    return {"$schema": SCHEMA, "title": "Adjudex scenario", **{k: v for k, v in schema.items() if k != "title"}}


def scenario_schema_text() -> str:
    """Return it as the text of `schemas/generated/scenario.schema.json`."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"
