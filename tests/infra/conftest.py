"""For tests of what is deployed and no Python: they ask tools in an environment of their own."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv-infra/bin"

Tool = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Give what runs a program of `.venv-infra` and answers its output; its status is one of `expected`."""
    assert (BIN / "python").exists(), "there is no .venv-infra: run make setup"

    async def run(program: str, *arguments: str, expected: tuple[int, ...] = (0,)) -> str:
        process = await asyncio.create_subprocess_exec(
            *(str(BIN / program), *arguments),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        assert process.returncode in expected, output.decode() + errors.decode()
        return output.decode()

    return run


@pytest.fixture(scope="session")
def script(tool: Tool) -> Callable[..., Awaitable[Any]]:
    """Give what runs one of the scripts beside this file and reads the JSON that it prints."""

    async def run(name: str, *arguments: str) -> object:
        return json.loads(await tool("python", str(Path(__file__).with_name(name)), *arguments))

    return run
