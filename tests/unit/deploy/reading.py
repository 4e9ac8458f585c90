"""What is deployed, as data: compose file, Dockerfile, monitoring."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"


def read_yaml(file: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    return yaml.safe_load(file.read_text(encoding="utf-8"))


COMPOSE: dict[str, Any] = read_yaml(ROOT / "docker-compose.yml")
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: container for name, container in CONTAINERS.items() if "build" in container}
RUNS = {name: container for name, container in OURS.items() if container["command"][0] == "run"}
BROKERS = {name: container for name, container in CONTAINERS.items() if name.startswith("kafka-")}
PROMETHEUS: dict[str, Any] = read_yaml(DEPLOY / "prometheus" / "prometheus.yml")
RULES: list[dict[str, Any]] = [
    rule for group in read_yaml(DEPLOY / "prometheus" / "rules.yml")["groups"] for rule in group["rules"]
]
RULES_TEST: dict[str, Any] = read_yaml(DEPLOY / "prometheus" / "rules.test.yml")
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / "adjudex.json").read_text(encoding="utf-8"))


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each in one line."""
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines) if name.isupper()]
