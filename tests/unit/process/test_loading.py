"""What a process of one service loads: no other service, no SQL, and yet every message there is."""

import json
import subprocess
import sys

import pytest

from schemas.envelope import registered
from schemas.topics import SERVICES
from services.registry import RELAY, WRITERS
from tests.integration.processes import ROOT

_ASK = """
import json, sys
import services.cli.running, services.process.shell
from schemas.envelope import registered
from services.registry import decision_service

if (name := sys.argv[1]) != "relay":
    decision_service(name)
print(json.dumps({"modules": list(sys.modules), "messages": list(registered())}))
"""


@pytest.mark.parametrize("service", WRITERS)
def test_process_of_one_service__loads_no_other_and_knows_every_message(service: str) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", _ASK, service], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    found = json.loads(asked.stdout)
    loaded = {name.split(".")[1] for name in found["modules"] if name.startswith("services.")}
    assert loaded & {*SERVICES} == {service} - {RELAY}
    assert "sqlalchemy" not in found["modules"]
    # A message that one process knew and another did not would be decided otherwise by it.
    ours = {wire for wire, model in registered().items() if not model.__module__.startswith("tests.")}
    assert set(found["messages"]) == ours
