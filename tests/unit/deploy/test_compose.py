"""docker-compose.yml against what it runs: the command line, the catalogue, the image, what brokers have to be."""

import json
import re
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import make_url

from schemas.topics import SERVICES
from services.cli.cluster import _BROKER, _SESSION_MS, _TRANSACTION_MAX_MS
from services.kernel.kafka.settings import KafkaSettings
from services.registry import PORTAL, RELAY, RUNNABLE, VIEWS
from services.views.database import Database
from tests.unit.deploy.commands import parse
from tests.unit.deploy.reading import BROKERS, COMPOSE, CONTAINERS, OURS, PROMETHEUS, ROOT, RUNS, dockerfile

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("name", OURS)
def test_a_container_runs_a_command_that_there_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in OURS[name]["environment"].items():
        monkeypatch.setenv(variable, value)
    known, options = parse(OURS[name]["command"])
    assert {variable for variable in OURS[name]["environment"] if variable.startswith("ADJUDEX_")} <= known
    assert str(options["data"]) == OURS[name]["environment"]["ADJUDEX_DATA"]
    if "kafka" in options:
        assert KafkaSettings(options["kafka"]).bootstrap == ",".join(f"{broker}:9092" for broker in BROKERS)


def test_every_service_has_a_container__and_a_name_of_its_own() -> None:
    ran = {name: parse(container["command"])[1] for name, container in RUNS.items()}
    assert {options["service"] for options in ran.values()} == {*RUNNABLE, PORTAL}
    assert {*SERVICES, RELAY} <= ran.keys()
    assert all(options["service"] == name for name, options in ran.items())
    instances = [options["instance"] for options in ran.values() if options["instance"]]
    assert len(set(instances)) == len(instances)


def test_every_service_begins_when_the_topics_are_there() -> None:
    for name, container in RUNS.items():
        assert container["depends_on"]["topics"] == {"condition": "service_completed_successfully"}, name
    topics = CONTAINERS["topics"]
    assert topics["command"][:2] == ["topics", "apply"]
    assert topics["depends_on"] == {name: {"condition": "service_healthy"} for name in BROKERS}
    assert "restart" not in topics


def test_services_are_healthy_when_they_are_ready__on_the_port_that_they_serve() -> None:
    exposed = [rest for name, rest in dockerfile() if name == "EXPOSE"]
    targets = {
        target
        for job in PROMETHEUS["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    }
    for name, container in RUNS.items():
        host, _, port = parse(container["command"])[1]["web"].rpartition(":")
        assert host == "0.0.0.0"
        assert f"http://127.0.0.1:{port}/ready" in container["healthcheck"]["test"][-1]
        assert port in container["expose"]
        assert port in exposed
        assert f"{name}:{port}" in targets
    assert len(targets) == len(RUNS)


def test_the_read_model_is_where_the_database_is() -> None:
    postgres = CONTAINERS["postgres"]["environment"]
    for name in (VIEWS, PORTAL):
        url = make_url(RUNS[name]["environment"]["ADJUDEX_DATABASE"])
        assert (url.host, url.username, url.database) == (
            "postgres",
            postgres["POSTGRES_USER"],
            postgres["POSTGRES_DB"],
        )
        assert Database(url.render_as_string(hide_password=False)).is_sqlite is False
    assert RUNS[VIEWS]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert RUNS[PORTAL]["depends_on"][VIEWS] == {"condition": "service_healthy"}


def test_what_keeps_running_says_whether_it_is_healthy() -> None:
    for name, container in CONTAINERS.items():
        if "restart" in container:
            assert container["healthcheck"]["test"][0] == "CMD", name


def test_the_image_is_made_of_what_there_is__and_starts_the_command_line() -> None:
    steps = dockerfile()
    assert json.loads(dict(steps)["ENTRYPOINT"]) == ["adjudex"]
    assert "adjudex" in _PROJECT["scripts"]
    copied = [rest.split()[:-1] for name, rest in steps if name == "COPY" and "--from" not in rest]
    ignored = (ROOT / "deploy" / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for source in (source for sources in copied for source in sources):
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored
    for container in OURS.values():
        assert (ROOT / container["build"]["dockerfile"]).exists()
        assert container["image"] == f"adjudex:{_PROJECT['version']}"
    user = [rest for name, rest in steps if name == "USER"]
    assert user == ["adjudex"]


def test_images_are_pinned() -> None:
    based = [rest.split()[0] for name, rest in dockerfile() if name == "FROM"]
    for image in (*based, *(container["image"] for container in CONTAINERS.values())):
        assert re.fullmatch(r"[a-z/]+:v?\d+(\.\d+)+(-[a-z-]+)?", image), image
    assert len(set(based)) == 1
    [minor] = re.findall(r"python:3\.(\d+)", based[0])
    assert f"Programming Language :: Python :: 3.{minor}" in _PROJECT["classifiers"]


def test_brokers_are_of_the_release_that_is_tested() -> None:
    pom = (ROOT / "deploy" / "kafka" / "pom.xml").read_text(encoding="utf-8")
    [version] = re.findall(r"<kafka\.version>(.*)</kafka\.version>", pom)
    assert {container["image"] for container in BROKERS.values()} == {f"apache/kafka:{version}"}


def test_three_brokers_know_each_other__and_are_as_a_space_needs_them() -> None:
    assert len(BROKERS) == 3
    for (name, container), number in zip(BROKERS.items(), (1, 2, 3), strict=True):
        setting = container["environment"]
        assert setting["KAFKA_NODE_ID"] == number
        voters = ",".join(f"{one}@{broker}:9093" for one, broker in enumerate(BROKERS, 1))
        assert setting["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters
        outside = int(setting["KAFKA_ADVERTISED_LISTENERS"].rpartition(":")[2])
        assert setting["KAFKA_ADVERTISED_LISTENERS"] == f"INSIDE://{name}:9092,OUTSIDE://localhost:{outside}"
        assert container["ports"] == [f"127.0.0.1:{outside}:9094"]
        assert container["volumes"] == [f"{name}:{setting['KAFKA_LOG_DIRS']}"]
        held = {broker: setting["KAFKA_" + broker.upper().replace(".", "_")] for broker in _BROKER}
        assert int(held["transaction.max.timeout.ms"]) <= _TRANSACTION_MAX_MS
        assert held["auto.create.topics.enable"] == "false"
        assert int(held["group.min.session.timeout.ms"]) <= _SESSION_MS
        assert held["offsets.topic.replication.factor"] == held["transaction.state.log.replication.factor"] == 3


def test_nothing_is_open_to_others__and_nothing_is_secret() -> None:
    for name, container in CONTAINERS.items():
        assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in container.get("ports", ())), name
        named = [variable for variable in _environment(container) if re.search(r"PASSWORD|SECRET|TOKEN|_KEY", variable)]
        assert named == [], name
    assert "secrets" not in COMPOSE


def _environment(container: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(container.get("environment", {}))


def test_what_is_mounted_is_there() -> None:
    for container in CONTAINERS.values():
        for mount in container.get("volumes", ()):
            source = mount.partition(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_ports_of_this_machine_are_given_once() -> None:
    given = sorted(port.rpartition(":")[0] for container in CONTAINERS.values() for port in container.get("ports", ()))
    assert all(one != other for one, other in pairwise(given))
