"""The examples for pipelines: the shell in each file, run by a real shell with a real curl against the running app."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from devtools.front_end import FrontEnd
from devtools.serving import serving
from devtools.stack_user import StackUser

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

EXAMPLES = Path(__file__).parents[3] / "examples"
GIVEN_BY_THE_PLATFORM = {
    "github": {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1"},
    "azure-devops": {"BUILD_BUILDID": "7", "SYSTEM_JOBATTEMPT": "1"},
    "gitlab": {"CI_JOB_ID": "7"},
}
AZ = """#!/bin/sh
[ "$*" = "account get-access-token --resource api://transload --query accessToken --output tsv" ] && echo entra-token
"""


@dataclass(frozen=True)
class Example:
    """What a platform runs of a file: a script, in a shell, with the variables that the file names."""

    script: str
    shell: str
    variables: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> "Example":
        """Find the script."""
        value: Any = yaml.safe_load(path.read_text())
        if path.parent.name == "gitlab":  # CI/CD variables are there without being named
            job = value["import-image"]
            own = {"TRANSLOAD_URL", "TRANSLOAD_KEY", "TRANSLOAD_AUDIENCE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"}
            return cls("\n".join(job["script"]), "sh", frozenset({*job["variables"], *job.get("id_tokens", {}), *own}))
        if path.parent.name == "github":
            step = value["jobs"]["import"]["steps"][-1]
            return cls(step["run"], step["shell"], frozenset(step["env"]))
        step = value["steps"][0]
        return cls(step["bash"] if "bash" in step else step["inputs"]["inlineScript"], "bash", frozenset(step["env"]))

    async def run(self, folder: Path, given: Mapping[str, str], platform: Mapping[str, str]) -> tuple[int, str]:
        """Run it; its exit code, and what it printed. It sees only the variables that its file names."""
        environment = {name: value for name, value in given.items() if name in self.variables}
        process = await asyncio.create_subprocess_exec(
            *(self.shell, "-c", self.script),
            cwd=folder,
            env={**environment, **platform, "PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()


async def entra(scope: Scope, receive: Receive, send: Send) -> None:
    """Entra ID's token endpoint, for an application that proves itself by the platform's token (RFC 7523)."""
    request = Request(scope, receive)
    form = dict(parse_qsl((await request.body()).decode()))
    wanted = ("platform-token", "api://transload/.default", "/tenant/oauth2/v2.0/token")
    right = (form["client_assertion"], form["scope"], request.url.path) == wanted
    body = {"token_type": "Bearer", "access_token": "entra-token"} if right else {"error": "invalid_client"}
    await JSONResponse(body, 200 if right else 401)(scope, receive, send)


@pytest.mark.parametrize("name", sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.yml")))
async def test_an_example_imports_and_fails_as_a_step_shall(user: StackUser, tmp_path: Path, name: str) -> None:
    """Exit code 0 when the image is there; another one, and the reason on the console, when it is not."""
    example, platform = Example.read(EXAMPLES / name), GIVEN_BY_THE_PLATFORM[name.partition("/")[0]]
    (tmp_path / "az").write_text(AZ)
    (tmp_path / "az").chmod(0o755)
    proof = ("authorization", "Bearer entra-token") if "entra" in name else ("x-functions-key", "s3cret")
    source = await user.push("example")
    target = f"{user.stack.target}/example/{name.removesuffix('.yml')}:1"
    front = FrontEnd(user.stack.api, *proof)
    async with serving(front) as port, serving(entra) as authority:
        given = {
            "TRANSLOAD_URL": f"http://127.0.0.1:{port}",
            "TRANSLOAD_KEY": "s3cret",
            "TRANSLOAD_AUDIENCE": "api://transload",
            "AZURE_AUTHORITY": f"http://127.0.0.1:{authority}",
            "AZURE_TENANT_ID": "tenant",
            "AZURE_CLIENT_ID": "client",
            "GITLAB_TOKEN": "platform-token",
            "SOURCE": source,
            "TARGET": target,
        }
        build = next(iter(platform))
        missing = {**given, "SOURCE": f"{user.stack.source}/example:missing"}
        good = await example.run(tmp_path, given, {**platform, build: f"{name}-1"})
        again = await example.run(tmp_path, given, {**platform, build: f"{name}-1"})
        bad = await example.run(tmp_path, missing, {**platform, build: f"{name}-2"})

    assert (good[0], '"status":"Succeeded"' in good[1]) == (0, True), good[1]
    assert again == good, "the same job again is the same import"
    assert (bad[0] != 0, "MANIFEST_UNKNOWN" in bad[1]) == (True, True), bad[1]
    await user.require_equal(target)
