"""Runs in `.venv-infra`: parses every Bicep file of a folder and prints what is wrong with each, as JSON."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def problems(folder: Path) -> dict[str, str]:
    """Give the problem of each file that is no Bicep; of the others nothing."""
    parser: Any = importlib.import_module("pycep").BicepParser()
    syntax_error: Any = importlib.import_module("lark").exceptions.LarkError
    found = {}
    for path in sorted(folder.rglob("*.bicep")):
        try:
            parser.parse(text=path.read_text("utf-8"))
        except syntax_error as error:
            found[str(path.relative_to(folder))] = str(error)[:500]
    return found


if __name__ == "__main__":
    print(json.dumps(problems(Path(sys.argv[1]))))  # noqa: T201 (its output)
