"""The deployment package: what .funcignore leaves starts with requirements.txt alone, on every Python offered."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pathspec
import pytest

import function_app

ROOT = Path(__file__).parents[2]
_OFFERED = re.findall(
    r"'(3\.\d+)'", re.findall(r"(.*)\nparam pythonVersion", (ROOT / "infra/main.bicep").read_text())[0]
)
_OLDEST_AND_NEWEST = (_OFFERED[0], _OFFERED[-1])


def _packed() -> Iterator[Path]:
    """Name the files that are deployed: all but what .funcignore names, in the words of a .gitignore."""
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
    for folder, folders, files in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        folders[:] = [name for name in folders if not ignored.match_file(f"{here / name}/")]
        yield from (here / name for name in files if not ignored.match_file(str(here / name)))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the package in it."""
    folder = tmp_path_factory.mktemp("package")
    for path in _packed():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    return folder


async def _run(*command: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd="/", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def _python(version: str) -> str:
    """Find a Python of this version that really runs, or skip the test."""
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    candidates = [shutil.which(f"python{version}"), *map(str, installed)]
    for candidate in candidates:
        if candidate and await _run(candidate, "-c", "") == (0, ""):
            return candidate
    pytest.skip(f"no Python {version} is on this machine")


def test_the_package_holds_the_app_and_nothing_else(package: Path) -> None:
    """Add whatever else lies in this folder to .funcignore, unless the app reads it."""
    assert {path.name for path in package.iterdir()} == {
        "function_app.py",
        "host.json",
        "importcore",
        "requirements.txt",
    }
    assert {path.suffix for path in (package / "importcore").rglob("*") if path.is_file()} == {".py"}


@pytest.mark.parametrize("version", _OLDEST_AND_NEWEST)
async def test_the_package_starts_on(version: str, package: Path, tmp_path: Path) -> None:
    """Only requirements.txt is installed, by its hashes and without building anything; all functions are indexed."""
    environment, uv = tmp_path / "environment", str(ROOT / ".venv/bin/uv")
    python = str(environment / "bin/python")
    assert await _run(uv, "venv", "-q", "--python", await _python(version), str(environment)) == (0, "")
    install = (uv, "pip", "sync", "-q", "--require-hashes", "--no-build", "--python", python)
    assert await _run(*install, str(package / "requirements.txt")) == (0, "")
    status, printed = await _run(python, "-I", str(Path(__file__).with_name("index_package.py")), str(package))
    assert status == 0, printed
    expected = {name for name, value in vars(function_app).items() if hasattr(value, "_function")}
    assert json.loads(printed) == {"functions": sorted(expected), "strays": []}
