"""Copies one image with Transload's copy core: what `Importer` does between claim and ending, without storage.

Run as `python -m bench.copy_core SOURCE TARGET --ca-file FILE`. It writes one JSON object: what the process had cost
before the copy began (a function's worker pays that once, not for every import), and what the copy alone took.
"""

import argparse
import asyncio
import cProfile
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from importcore.deadline import Deadline
from importcore.errors import Side
from importcore.phases.blob_copy import CopyTools
from importcore.phases.commit import Commit
from importcore.phases.planning import make_plan
from importcore.phases.transfer import Transfer
from importcore.reference import Reference
from importcore.registry.credentials import Anonymous
from importcore.registry.registries import Registries
from importcore.settings.model import MEBIBYTE, HostSettings, Settings, StorageAccount
from importcore.state.checkpoint import UploadState
from importcore.state.progress import ProgressMeter
from importcore.state.record import TargetResult

_SLICE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class CopyTimes:
    """Seconds: processor time before the copy, then processor and wall time of the copy alone."""

    start_cpu: float
    copy_cpu: float
    copy_wall: float


class UnkeptCheckpoints:
    """Stands where the running import stands: takes every note, remembers none."""

    def open_upload(self, repository: str, digest: str) -> UploadState | None:  # noqa: ARG002 (the protocol's names)
        """Nothing was begun earlier."""
        return None

    async def note(self, upload: UploadState, *, at_once: bool = False) -> None:
        """The running import would put it into the lease message now and then."""

    def forget(self, repository: str, digest: str) -> None:
        """There is nothing to forget."""


async def copy_image(source: Reference, target: Reference, settings: Settings) -> None:
    """Bring an image from one registry to another: plan, transfer, commit.

    Raises:
        TransloadError: It could not be copied.
    """
    registries = Registries(settings)
    reader = registries.client(source.registry, Side.SOURCE, Anonymous())
    writer = registries.client(target.registry, Side.TARGET, Anonymous())
    meter, deadline = ProgressMeter(), Deadline(settings.slice_seconds)
    tools = CopyTools(reader, source.repository, writer, registries, UnkeptCheckpoints(), meter, deadline)
    slots = asyncio.Semaphore(settings.parallel_transfers)
    try:
        plan = await make_plan(reader, source)
        await Transfer(tools, slots, settings.parallel_transfers, None).bring(plan.blobs, (target.repository,))
        commit = Commit(plan, writer, meter, deadline)
        await commit.manifests((target.repository,))
        await commit.tags((TargetResult(str(target)),), fence=_no_fence, backup_tag=None)
    finally:
        await registries.aclose()


async def _no_fence() -> None:
    """No lease, so nothing to ask before the tags are moved."""


def bench_settings(*registries: str, ca_file: Path) -> Settings:
    """The defaults of an installation, for registries on this machine."""
    host = HostSettings.model_validate({"private": True, "caFile": str(ca_file)})
    return Settings(
        storage=StorageAccount(),
        sealing_keys=(),
        registries=dict.fromkeys(registries, host),
        slice_seconds=_SLICE_SECONDS,
    )


def main() -> None:
    """Copy the image that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Reference.parse)
    parser.add_argument("target", type=Reference.parse)
    parser.add_argument("--ca-file", type=Path, required=True)
    parser.add_argument("--parallel", type=int, default=0, help="blobs at a time; 0 is the product's default")
    parser.add_argument("--chunk-mib", type=int, default=0, help="size of a chunk; 0 is the product's default")
    parser.add_argument("--profile", type=Path, help="write a profile for `python -m pstats` (which costs time itself)")
    wish = parser.parse_args()
    defaults = bench_settings(wish.source.registry, wish.target.registry, ca_file=wish.ca_file)
    settings = replace(
        defaults,
        parallel_transfers=wish.parallel or defaults.parallel_transfers,
        chunk_bytes=wish.chunk_mib * MEBIBYTE or defaults.chunk_bytes,
    )
    start_cpu, begin = time.process_time(), time.perf_counter()
    profile = cProfile.Profile() if wish.profile else None
    if profile:
        profile.enable()
    asyncio.run(copy_image(wish.source, wish.target, settings))
    if profile:
        profile.disable()
        profile.dump_stats(wish.profile)
    times = CopyTimes(start_cpu, time.process_time() - start_cpu, time.perf_counter() - begin)
    print(json.dumps(asdict(times)))


if __name__ == "__main__":
    main()
