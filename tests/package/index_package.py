"""Runs in an environment of requirements.txt and nothing else: imports an app as the worker does, and indexes it.

`python -I index_package.py FOLDER` prints {"functions": [NAME, …], "strays": [FILE, …]} as JSON: strays are modules
that came neither from the folder nor from this environment.
"""

import importlib
import json
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any


def index(folder: str) -> dict[str, list[str]]:
    """Import the app in `folder` and name its functions."""
    sys.path.insert(0, folder)
    app: Any = importlib.import_module("function_app").app
    functions = sorted(function.get_function_name() for function in app.get_functions())
    places = [folder, sys.prefix, *sysconfig.get_paths().values()]
    files = [os.path.realpath(str(getattr(module, "__file__", None) or "")) for module in list(sys.modules.values())]
    roots = tuple(os.path.realpath(place) + os.sep for place in places)
    here = str(Path(__file__).resolve())
    strays = [file for file in files if file.endswith(".py") and file != here and not file.startswith(roots)]
    return {"functions": functions, "strays": sorted(strays)}


if __name__ == "__main__":
    print(json.dumps(index(sys.argv[1])))  # noqa: T201 (its output)
