"""The demo from start to end; exit code 0 only if everything that it claims was seen to be true."""

import asyncio
import os
import time
from collections.abc import Mapping

import httpx
from rich.console import Console

from devtools.demo.proof import content_of, developer_is_signed_in, read_all
from devtools.demo.push import push_and_listen
from devtools.demo.sdk import SdkFailedError, import_by_sdk
from devtools.demo.watch import StuckError, Watch
from devtools.registry_content import BrokenContentError, Found
from devtools.sample_images import multi_platform
from devtools.stack.local_stack import running_stack
from devtools.stack.options import StackOptions
from devtools.stack_process import Stack
from importcore.reference import Reference

_MEBIBYTE = 1024 * 1024
_PLATFORMS = ["linux/amd64", "linux/arm64"]
_LAYERS = [20 * _MEBIBYTE, 8 * _MEBIBYTE, 2 * _MEBIBYTE, 20_000]
_CHUNK = 4 * _MEBIBYTE
_PARALLEL = 4
_STACK = StackOptions(lease_seconds=1, chunk_bytes=_CHUNK, bytes_per_second=50 * _MEBIBYTE)


class DemoFailedError(Exception):
    """Something that the demo claims was not seen to be true."""


def run_demo(source: str | None, target: str | None) -> int:
    """Run the demo; answers the exit code."""
    console = Console(highlight=False)
    try:
        asyncio.run(_demo(console, source, target))
    except (DemoFailedError, SdkFailedError, StuckError, BrokenContentError, httpx.HTTPError, RuntimeError) as error:
        console.print(f"[bold red]The demo failed:[/] {error}")
        return 1
    return 0


async def _demo(console: Console, source: str | None, target: str | None) -> None:
    began = time.monotonic()
    environment = {**os.environ, "TRANSLOAD_PARALLEL_TRANSFERS": str(_PARALLEL)}
    if target:
        environment |= _for_real_target(target)
    async with running_stack(_STACK, environment) as ready:
        stack = Stack(ready)
        console.print(f"[bold]Local stack[/] ready after {time.monotonic() - began:.1f} s: {stack.api}")
        if source or target:
            await _import_given(console, stack, source, target)
        else:
            await _import_sample(console, stack)
            await _import_what_is_pushed(console, stack)
    console.print(f"Done after {time.monotonic() - began:.1f} s.")
    if not source:
        console.print(_NEXT)


async def _import_sample(console: Console, stack: Stack) -> None:
    sample = await asyncio.to_thread(multi_platform, _LAYERS, _PLATFORMS)
    origin = Reference.in_registry(stack.source, "demo/app:1.0")
    async with content_of(origin, stack.identity) as content:
        await content.push(sample, "1.0")
    console.print(
        f"[bold]Source[/] {origin}: {len(sample.manifests)} manifests, {len(sample.blobs)} blobs, {sample.size:,} bytes"
    )
    request = {"source": str(origin), "target": f"{stack.target}/mirror/app:1.0"}
    async with httpx.AsyncClient(base_url=stack.api, timeout=30, trust_env=False) as api:
        watch = Watch(api, console, kill=True)
        record = await watch.follow(await _submit(console, api, request))
    _require_succeeded(record)
    _require_survived(console, watch, record, sample.size, await _bytes_received(stack.target))
    original, copy = await asyncio.gather(
        read_all(origin, stack.identity), read_all(Reference.parse(request["target"]), stack.identity)
    )
    _require_equal(original, copy)
    console.print(
        f"[bold green]Equal:[/] {copy.root}\n  every byte of {len(copy.manifests)} manifests and "
        f"{len(copy.blobs)} blobs was read back from the target, and has the source's digest"
    )


async def _import_what_is_pushed(console: Console, stack: Stack) -> None:
    """A push, the source's webhook, the stack's rule, an import: nobody calls the API to start it."""
    sample = await asyncio.to_thread(multi_platform, [50_000, 3_000], _PLATFORMS)
    pushed, made = await push_and_listen(console, stack, sample)
    if not made:
        raise DemoFailedError("no import followed from the push")
    async with httpx.AsyncClient(base_url=stack.api, timeout=30, trust_env=False) as api:
        _require_succeeded(await Watch(api, console).follow(str(made["id"])))
    target = Reference.parse(made["targets"][0])
    original, copy = await asyncio.gather(read_all(pushed, stack.identity), read_all(target, stack.identity))
    _require_equal(original, copy)
    console.print(f"[bold green]Equal:[/] {target} is what was pushed")
    by_sdk = await import_by_sdk(console, stack, pushed)
    _require_equal(original, await read_all(by_sdk, stack.identity))
    console.print(f"[bold green]Equal:[/] {by_sdk} is what the SDK was to bring")


async def _import_given(console: Console, stack: Stack, source: str | None, target: str | None) -> None:
    request = {"source": source or "docker.io/library/hello-world:latest"}
    name = Reference.parse(request["source"])
    request["target"] = target or f"{stack.target}/{name.repository}:{name.tag or 'latest'}"
    async with httpx.AsyncClient(base_url=stack.api, timeout=30, trust_env=False) as api:
        record = await Watch(api, console).follow(await _submit(console, api, request))
    _require_succeeded(record)
    copy = await read_all(Reference.parse(request["target"]), None if target else stack.identity)
    if copy.root != record["digest"]:
        raise DemoFailedError(f"the target serves {copy.root}, the source stood on {record['digest']}")
    console.print(
        f"[bold green]Equal:[/] {copy.root}\n  every byte of {len(copy.manifests)} manifests and {len(copy.blobs)} "
        "blobs was read back from the target; each has the digest by which the source's own root names it"
    )


def _for_real_target(target: str) -> dict[str, str]:
    if not developer_is_signed_in():
        raise DemoFailedError("TARGET needs the Azure CLI and `az login`, to sign in to the registry as you")
    registry = Reference.parse(target).registry
    return {"TRANSLOAD_DEVELOPER_IDENTITY": "true", "TRANSLOAD_TARGET_REGISTRIES": registry}


async def _submit(console: Console, api: httpx.AsyncClient, request: Mapping[str, str]) -> str:
    console.print(f"[bold]POST[/] /api/imports {dict(request)}")
    answer = await api.post("/api/imports", json=request)
    if answer.status_code != httpx.codes.ACCEPTED:
        raise DemoFailedError(f"the API answered {answer.status_code}: {answer.text}")
    console.print(f"  202 Accepted, Location: {answer.headers['location']}")
    return str(answer.json()["id"])


def _require_succeeded(record: Mapping[str, object]) -> None:
    if record["status"] != "Succeeded":
        raise DemoFailedError(f"the import ended {record['status']}: {record['error']}")


async def _bytes_received(target: str) -> int:
    """Bytes of blobs that the target was really sent, by its own journal."""
    async with httpx.AsyncClient(base_url=f"http://{target}", trust_env=False) as http:
        entries = (await http.get("/_emulator/journal")).json()
    return sum(int(entry["request_bytes"]) for entry in entries if "/blobs/uploads/" in entry["path"])


def _require_survived(console: Console, watch: Watch, record: Mapping[str, int], size: int, received: int) -> None:
    """The worker was killed in the middle, another run went on, and no more than one chunk a blob was sent twice."""
    if watch.done_at_kill is None:
        raise DemoFailedError("the import was over before its worker could be killed")
    if record["resumptions"] < 1:
        raise DemoFailedError("no run went on from the checkpoint")
    again, most = received - size, _PARALLEL * _CHUNK
    if not 0 <= again <= most:
        raise DemoFailedError(f"{again:,} bytes were sent twice; a kill may cost a chunk of each blob, {most:,} here")
    console.print(
        f"[bold green]Survived:[/] {record['attempts']} runs, {record['resumptions']} of them resumed; the target "
        f"received {again:,} of {size:,} bytes twice"
    )


def _require_equal(original: Found, copy: Found) -> None:
    if original != copy:
        raise DemoFailedError("source and target differ")


_NEXT = """
[bold]Try next[/]
  make demo SOURCE=docker.io/library/hello-world:latest       an image from the internet
  make demo TARGET=myregistry.azurecr.io/hello-world:latest   into your own registry, as you (az login)
  make stack                                                  the stack alone, to send your own requests to"""
