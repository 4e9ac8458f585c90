"""Alert rules, dashboard and the operators' page against each other, and against what processes really say."""

import re
import subprocess
from collections.abc import Iterator
from itertools import combinations

import pytest
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest

from services.kernel.kafka.membership import Membership
from services.kernel.kafka.process import Process
from services.kernel.kafka.settings import KafkaSettings
from services.portal.metrics import answer_times
from services.process import metrics
from tests.unit.deploy.reading import DASHBOARD, DEPLOY, PROMETHEUS, ROOT, RULES, RULES_TEST, read_yaml

_PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
_NAME = re.compile(r"\b(?:adjudex|process)_\w+\b")
_FATE = re.compile(r'fate=~?"([^"]+)"')
# The words of `services.kernel.engine`, as docs/kafka.md lists them.
_FATES = {"decided", "refused", "set-aside", "duplicate", "forwarded", "no-effect", "deadline"}


def _said() -> set[str]:
    """Return the name of every series that a process exposes."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    metrics.transaction_times(registry, "claims")
    membership = Membership(KafkaSettings("127.0.0.1:1"), "group", "topic")
    registry.register(metrics.ProcessCollector(Process("claims", membership, lambda _: pytest.fail("no partition"))))
    answer_times(registry)
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", generate_latest(registry).decode(), re.MULTILINE))
    ends = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
    return {name + end for name, kind in kinds.items() for end in ends.get(kind, ("",))}


def _expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def test_what_is_asked_is_said_by_processes() -> None:
    said = _said()
    for where, expression in _expressions():
        assert set(_NAME.findall(expression)) <= said, where
        for fates in _FATE.findall(expression):
            assert set(fates.split("|")) <= _FATES, where


def test_what_processes_say_of_themselves_is_shown() -> None:
    asked = {name for _, expression in _expressions() for name in _NAME.findall(expression)}
    ours = {
        name for name in _said() if name.startswith("adjudex_") and not name.endswith(("_sum", "_count", "_created"))
    }
    assert ours <= asked


def test_transactions_name_their_service__whatever_the_process_is_called() -> None:
    registry = CollectorRegistry()
    metrics.transaction_times(registry, "claims").observe(0.01)
    assert registry.get_sample_value("adjudex_transaction_seconds_count", {"service": "claims"}) == 1.0


def test_every_alert_says_how_bad_it_is__and_where_to_read_on() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_the_page_tells_of_every_alert__and_of_no_other() -> None:
    told = re.findall(r"^#+ (Adjudex\w+)$", _PAGE, re.MULTILINE)
    assert told == [rule["alert"] for rule in RULES]


def test_every_alert_is_tried() -> None:
    tried = {rule["alertname"] for test in RULES_TEST["tests"] for rule in test["alert_rule_test"]}
    assert tried == {rule["alert"] for rule in RULES}


def test_alerts_fire_when_they_should() -> None:
    folder = DEPLOY / "prometheus"
    for arguments in (["check", "config", "prometheus.yml"], ["test", "rules", "rules.test.yml"]):
        ended = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_rules_are_loaded() -> None:
    assert all((DEPLOY / "prometheus" / file).exists() for file in PROMETHEUS["rule_files"])


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    [source] = read_yaml(DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    asked = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]}
    assert asked == {source["uid"]}
    assert {target["datasource"]["uid"] for panel in DASHBOARD["panels"] for target in panel["targets"]} == asked


def test_panels_have_their_own_place_and_say_what_they_show() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["description"] for panel in panels)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
