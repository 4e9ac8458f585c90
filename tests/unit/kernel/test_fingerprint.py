"""The fingerprint of a release says what is in its sources, and nothing of where they lie."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.processes import ROOT

_ASK = """
from services.kernel.fingerprint import fingerprint
from services.registry import decision_services
from services.views.model import fingerprint as of_rows

print(*(fingerprint(service) for service in decision_services()), of_rows())
"""


def _asked(folder: Path) -> str:
    # Of this folder, whatever is installed: the sources of a checkout are found by the working directory.
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r}){_ASK}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("name", ["a", "zz"])
def test_the_same_release_in_folders_of_any_name__has_the_same_fingerprint(name: str, tmp_path: Path) -> None:
    for package in ("schemas", "services"):
        shutil.copytree(ROOT / package, tmp_path / name / package, ignore=shutil.ignore_patterns("__pycache__"))
    assert _asked(tmp_path / name) == _asked(ROOT)
