"""A service as operators run it, and what its pages say."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.broker import ROOT, Ports

PATIENCE_S = 60
PASSWORD = "secret"
"""Of every user of a cluster that checks rights."""


def login(bootstrap: str, user: str) -> dict[str, str]:
    """Return the environment in which one is that user."""
    return {
        "ADJUDEX_KAFKA": bootstrap,
        "ADJUDEX_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "ADJUDEX_KAFKA_USERNAME": user,
        "ADJUDEX_KAFKA_PASSWORD": PASSWORD,
    }


@contextmanager
def running(service: str, data: Path, environment: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a service as operators do, and say where its pages are."""
    ports = Ports()
    address = f"127.0.0.1:{ports.take()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "run", service, "--data", str(data), "--web", address],
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, f"http://{address}"
    finally:
        process.kill()
        process.communicate()
        ports.release()


def page(url: str) -> tuple[int, str]:
    """Ask for a page until the process answers at all."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()
        except OSError:
            assert time.monotonic() < until, f"{url} does not answer"
            time.sleep(0.05)


def ready(url: str) -> dict[str, Any]:
    """Wait until a process is ready, and return what it says then."""
    until = time.monotonic() + PATIENCE_S
    while (answer := page(f"{url}/ready"))[0] != 200:
        assert json.loads(answer[1])["waits_for"], "whoever is not ready says what it waits for"
        assert time.monotonic() < until, answer
    found: dict[str, Any] = json.loads(answer[1])
    return found
