"""A push to the source that nobody follows with a call: the registry's own webhook starts the import."""

import json
from typing import Any

from rich.console import Console

from devtools.demo.proof import content_of
from devtools.registry_control import RegistryControl
from devtools.sample_images import SampleImage
from devtools.stack_process import Stack
from importcore.reference import Reference


async def push_and_listen(console: Console, stack: Stack, image: SampleImage) -> tuple[Reference, dict[str, Any]]:
    """Give the source a webhook to the app, push, and wait for what the app answered.

    Returns:
        What was pushed, and the first import of the answer; it has none where none follows.
    """
    pushed = Reference.in_registry(stack.source, "demo/pushed:2.0")
    hook = f"{stack.api}/api/hooks/acr"
    async with RegistryControl.of(stack.source) as source:
        await source.order("webhooks", serviceUri=hook, actions=["push"], scope=f"{pushed.repository}:*")
        console.print(f"[bold]Webhook[/] of the source: {hook}")
        async with content_of(pushed, stack.identity) as content:
            await content.push(image, "2.0")
        console.print(f"[bold]Push[/] {pushed}, and no call to the API")
        told = await source.answered("push", pushed.repository, "2.0")
    answer = json.loads(told["said"])
    made: list[dict[str, Any]] = answer.get("imports", [])
    console.print(f"  the webhook was answered {told['answered']}: {answer}")
    return pushed, made[0] if made else {}
