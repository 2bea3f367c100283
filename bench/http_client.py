"""What an HTTP client costs: processor seconds per GiB over TLS. Run as `python -m bench.http_client`.

Each way (`http_ways.py`) does the same two things in a process of its own: it downloads a blob, then it copies the
blob to another registry, download feeding upload in chunks, as `blob_copy.py` does it. Nothing is hashed, so that the
differences are the clients'. See docs/decisions/0003-http-client.md.
"""

import argparse
import asyncio
import json
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.http_ways import WAYS, Way
from bench.measurement import Machine, measure
from bench.stage import empty_registry, make_tls, registry_client, wrong_blobs
from bench.subjects import GIBIBYTE, MEBIBYTE, PushedImage, Subject, push

_CHUNK = 32 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class ClientCost:
    """Processor seconds of the client's process for one blob, and the mean size of the pieces it read, in bytes."""

    download: float
    copy: float
    piece: float


async def download_and_copy(way: Way, source: str, digest: str, target: str) -> ClientCost:
    """Download a blob, then copy it; `source` and `target` are the URLs of the two repositories' blobs."""
    url = f"{source}/{digest}"
    begin = time.process_time()
    size = pieces = 0
    async for piece in way.read(url):
        size += len(piece)
        pieces += 1
    between = time.process_time()
    location = await way.send("POST", f"{target}/uploads/", None, 0)
    feed = _Chunks(way.read(url))
    for offset in range(0, size, _CHUNK):
        length = min(_CHUNK, size - offset)
        location = await way.send("PATCH", location, feed.take(length), length)
    await way.send("PUT", f"{location}&digest={digest}", None, 0)
    return ClientCost(between - begin, time.process_time() - between, size / pieces)


class _Chunks:
    """Cuts a stream into chunks of exact lengths."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    async def take(self, length: int) -> AsyncIterator[bytes]:
        while length:
            piece = self._rest or await anext(self._pieces)
            self._rest = piece[length:]
            length -= len(piece) - len(self._rest)
            yield piece[: len(piece) - len(self._rest)]


async def compare(blob_bytes: int, turns: int, folder: Path) -> dict[str, list[ClientCost]]:
    """Let every way run, turn by turn; the costs are for `blob_bytes`.

    Raises:
        RunFailedError: A way failed.
        ValueError: A way did not copy the blob as it is.
    """
    tls = make_tls(folder)
    costs: dict[str, list[ClientCost]] = {name: [] for name in WAYS}
    async with empty_registry(folder, tls) as source, registry_client(source, tls) as http:
        image = await push(http, Subject("one blob", "bench/blob", (blob_bytes,)))
        for _ in range(turns):
            for name in WAYS:
                async with empty_registry(folder, tls) as target, registry_client(target, tls) as reader:
                    command = (sys.executable, "-m", "bench.http_client", "--way", name)
                    places = (_blobs(source, image), image.blobs[-1], _blobs(target, image), str(tls.authority))
                    measured = await measure((*command, "--places", *places), {}, folder)
                    if wrong := await wrong_blobs(reader, image.subject.repository, image.blobs[-1:]):
                        raise ValueError(f"{name}: {wrong}")
                costs[name].append(ClientCost(**json.loads(measured.output)))
    return costs


def _blobs(registry: str, image: PushedImage) -> str:
    return f"https://{registry}/v2/{image.subject.repository}/blobs"


async def _run_way(name: str, source: str, digest: str, target: str, authority: str) -> ClientCost:
    way = WAYS[name](ssl.create_default_context(cafile=authority))
    try:
        return await download_and_copy(way, source, digest, target)
    finally:
        await way.aclose()


def table(costs: dict[str, list[ClientCost]], blob_bytes: int) -> Table:
    """Medians per GiB, and the copy against that of httpx with its own transport, turn by turn."""
    scale = GIBIBYTE / blob_bytes
    result = Table(title="CPU seconds per GiB: median (least to most)", title_justify="left")
    for heading in ("client", "download", "copy", "copy / httpcore's", "KiB per piece"):
        result.add_column(heading, justify="left" if heading == "client" else "right")
    base = costs[next(iter(WAYS))]
    for name, runs in costs.items():
        ratio = median(run.copy / other.copy for run, other in zip(runs, base, strict=True))
        spreads = (_spread([getattr(run, field) * scale for run in runs]) for field in ("download", "copy"))
        piece = median(run.piece for run in runs) / 1024
        result.add_row(name, *spreads, f"{ratio:.2f}", f"{piece:.0f}")
    return result


def _spread(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Compare, or be one of the compared (`--way`, which `compare` uses)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="turns for each client")
    parser.add_argument("--mib", type=int, default=1024, help="size of the blob")
    parser.add_argument("--way", choices=sorted(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--places", nargs=4, help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.way:
        print(json.dumps(asdict(asyncio.run(_run_way(wish.way, *wish.places)))))
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        costs = asyncio.run(compare(wish.mib * MEBIBYTE, wish.runs, Path(folder)))
    console = Console(width=120)
    console.print(f"{Machine.here()}", highlight=False)
    console.print(table(costs, wish.mib * MEBIBYTE))


if __name__ == "__main__":
    main()
