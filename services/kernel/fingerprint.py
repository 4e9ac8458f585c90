"""The fingerprint of a release: a hash of every source file that a decision depends on.

Refusals repeat what pydantic says of content that is not as it must be, so its version counts as well.
"""

import hashlib
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pydantic

import schemas

from .decider import DecisionService

_KERNEL = (
    "deadlines",
    "decider",
    "duplicates",
    "merkle",
    "partition",
    "partitioner",
    "persistent",
    "principals",
    "proofs",
    "records",
    "routing",
    "space",
    "wire",
)


def _module_files(name: str) -> list[Path]:
    module = sys.modules[name]
    assert module.__file__
    path = Path(module.__file__)
    if name.startswith("services.") and name.count(".") > 1:
        return [file for file in path.parent.rglob("*.py") if file.name != "app.py"]
    return [path]


@lru_cache(maxsize=64)
def _hash(modules: frozenset[str]) -> str:
    files = {file for module in modules for file in _module_files(module)}
    files |= set(Path(str(schemas.__file__)).parent.rglob("*.py"))
    files |= {Path(__file__).parent / f"{name}.py" for name in _KERNEL}
    return hash_of(files)


def hash_of(files: Iterable[Path]) -> str:
    """Hash sources of ours, whatever folder they lie in: its name is another one everywhere."""
    digest = hashlib.sha256(f"pydantic {pydantic.VERSION}\n".encode())
    root = Path(str(schemas.__file__)).parents[1]
    for file in sorted(files, key=lambda file: file.relative_to(root).parts):
        digest.update(file.name.encode() + b"\n" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def fingerprint(service: DecisionService[Any]) -> str:
    """Hash the sources of the service's package, of the schemas and of the kernel's pure part, once in a process."""
    modules = {type(decider).__module__ for decider in service.deciders.values()}
    return _hash(frozenset(modules | {type(service.facts).__module__, service.route.__module__}))
