"""What operators' pages tell somebody to type is what programs take."""

import json
import re
import shlex
from typing import Any

import pytest

from schemas.envelope import decode
from schemas.topics import TOPICS, stream
from tests.unit.deploy.commands import find, on_page
from tests.unit.deploy.reading import CONTAINERS, ROOT

_DOCS = ROOT / "docs"
_OPERATIONS = (_DOCS / "operations.md").read_text(encoding="utf-8")
_COMMANDS = [(page, line) for page in ("operations.md", "kafka.md") for line in on_page(_DOCS / page)]
_LINES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", _OPERATIONS, re.DOTALL)]


@pytest.mark.parametrize(("page", "line"), _COMMANDS)
def test_a_command_on_a_page_is_one(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    words = words[: next((number for number, word in enumerate(words) if word in ("|", "&&", ">")), len(words))]
    if words in (["up"], ["run"]) or not words:
        return
    command, _, rest = find(words)
    taken = {spelled for option in command.params for spelled in option.opts}
    given = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert given <= taken, f"{page}: {line}"


@pytest.mark.parametrize("line", _LINES, ids=lambda line: line["id"])
def test_an_input_on_the_page_is_one(line: dict[str, Any]) -> None:
    content = decode(line["type"], json.dumps(line["content"]).encode())
    assert type(content) in stream(line["stream"]).types
    assert line.keys() <= {"stream", "type", "id", "as", "content"}


def test_what_kcat_writes_on_the_page_is_such_an_input() -> None:
    [(topic, key, wire, value)] = re.findall(
        r"-t main\.([\w.]+) -k (\S+).*?ce_type=(\S+) <<'END'\n(.*?)\n *END", _OPERATIONS, re.DOTALL
    )
    content = decode(wire, value.strip().encode())
    assert type(content) in stream(topic).types
    assert content == decode(_LINES[0]["type"], json.dumps(_LINES[0]["content"]).encode())
    assert key == f"payout/{_LINES[0]['content']['payout']}"


def test_topics_on_the_page_are_in_the_catalogue() -> None:
    named = set(re.findall(r"-t main\.([\w.]+)", _OPERATIONS))
    assert named <= {topic.name for topic in TOPICS}


def test_containers_and_profiles_on_the_page_are_in_the_compose_file() -> None:
    profiles = {profile for container in CONTAINERS.values() for profile in container.get("profiles", ())}
    assert set(re.findall(r"--profile (\w+)", _OPERATIONS)) <= profiles
    assert set(re.findall(r"docker compose run --rm (\w+)", _OPERATIONS)) <= CONTAINERS.keys()
    for port in re.findall(r"\b(?:2909\d|9090|3000|8080)\b", _OPERATIONS):
        given = [given for container in CONTAINERS.values() for given in container.get("ports", ())]
        assert any(f":{port}:" in given for given in given), port
