"""Watching an import: the progress bar, and the kill of its worker in the middle."""

import asyncio
import os
import signal
from dataclasses import dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

_POLL_SECONDS = 0.1
_FINAL = frozenset({"Succeeded", "Failed", "Canceled"})


class StuckError(Exception):
    """The import waits for something that the demo cannot wait for."""


@dataclass(slots=True)
class Watch:
    """Follows one import through the API until it ends.

    Attributes:
        kill: Whether to kill the process that works on it, once, when a third of the bytes is at the target.
        done_at_kill: Bytes that the target had when the worker was killed; None when it was not.
    """

    api: httpx.AsyncClient
    console: Console
    kill: bool = False
    done_at_kill: int | None = None
    record: dict[str, Any] = field(default_factory=dict)

    async def follow(self, import_id: str) -> dict[str, Any]:
        """Show progress until the end; answers the final record.

        Raises:
            StuckError: The import sleeps in the queue because of a fault that may pass.
        """
        columns = (
            TextColumn("[bold]{task.fields[phase]:<9}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TextColumn("blobs {task.fields[blobs]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task("import", total=None, phase="queued", blobs="-")
            attempts = 0
            while self.record.get("status") not in _FINAL:
                answer = await self.api.get(f"/api/imports/{import_id}")
                answer.raise_for_status()
                self.record = record = answer.json()
                numbers = record["progress"]
                brought = numbers["blobsCopied"] + numbers["blobsSkipped"] + numbers["blobsMounted"]
                progress.update(
                    task,
                    total=numbers["bytesTotal"] or None,
                    completed=numbers["bytesDone"],
                    phase=record["phase"] or record["status"].lower(),
                    blobs=f"{brought}/{numbers['blobsTotal']}",
                )
                if attempts and record["attempts"] > attempts:
                    progress.console.print(
                        f"  [green]run {record['attempts']} goes on[/] from the checkpoint: "
                        f"{numbers['bytesDone']:,} of {numbers['bytesTotal']:,} bytes are at the target already"
                    )
                attempts = record["attempts"]
                if record["waitingUntil"] and record["error"]:
                    raise StuckError(f"it waits until {record['waitingUntil']}: {record['error']['message']}")
                self._kill_in_the_middle(record, progress)
                await asyncio.sleep(_POLL_SECONDS)
        return self.record

    def _kill_in_the_middle(self, record: dict[str, Any], progress: Progress) -> None:
        done, total = record["progress"]["bytesDone"], record["progress"]["bytesTotal"]
        if not self.kill or self.done_at_kill is not None or not total or done < total / 3:
            return
        if record["status"] != "Running" or record["phase"] != "transfer":
            return
        worker = worker_of(record)
        os.kill(worker, signal.SIGKILL)
        self.done_at_kill = done
        progress.console.print(f"  [red]kill -9[/] of worker process {worker} at {done:,} of {total:,} bytes")


def worker_of(record: dict[str, Any]) -> int:
    """The id of the process that works on an import, by the record's history."""
    runs = [event["detail"] for event in record["history"] if event["event"] in {"Started", "Resumed", "TakenOver"}]
    return int(runs[-1].partition(",")[0].rpartition("/")[2])
