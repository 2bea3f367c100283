"""How fast is the copy core against its peers? Run as `python -m bench.copy_images`.

Two images, one large and one of many small layers, go from one real registry to another, over TLS on this machine.
The contestants take turns (A B A B ...), each into an empty registry; every copy is compared with its source digest by
digest, and the exit code is 1 when one differs. Read the ratios, which hold for other machines better than the seconds.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.contestants import TRANSLOAD, Contestant, Errand, environment, peers, transload
from bench.measurement import Machine, RunFailedError, measure
from bench.results import Report, Run, SubjectResult
from bench.stage import Tls, differences, empty_registry, make_tls, registry_client
from bench.subjects import PushedImage, push, subjects


class Race:
    """Lets contestants copy images out of one source registry."""

    def __init__(self, folder: Path, tls: Tls, source: str, console: Console) -> None:
        self._folder = folder
        self._tls = tls
        self._source = source
        self._console = console

    async def over(self, image: PushedImage, contestants: Sequence[Contestant], turns: int) -> SubjectResult:
        """Let everybody copy an image, turn by turn.

        Raises:
            RunFailedError: A contestant failed.
        """
        runs = [await self._run(image, contestant, turn) for turn in range(turns) for contestant in contestants]
        return SubjectResult(image, tuple(runs))

    async def _run(self, image: PushedImage, contestant: Contestant, turn: int) -> Run:
        await asyncio.to_thread(os.sync)  # nobody pays for what the run before left to be written
        async with empty_registry(self._folder, self._tls) as target:
            errand = Errand(f"{self._source}/{image.reference}", f"{target}/{image.reference}", self._tls.authority)
            measured = await measure(contestant.command(errand), environment(self._tls.authority), self._folder)
            async with registry_client(target, self._tls) as http:
                wrong = tuple(await differences(http, image))
        copy = json.loads(measured.output) if contestant.name == TRANSLOAD else {}
        cost = measured.cost
        self._console.print(
            f"{image.subject.title}, turn {turn + 1}: {contestant.name} {cost.wall:.2f} s, CPU {cost.cpu:.2f} s",
            *wrong, sep="\n  ", highlight=False,
        )  # fmt: skip
        return Run(contestant.name, turn, cost, copy, wrong)


async def compare(wish: argparse.Namespace, console: Console) -> Report:
    """Make the images, let everybody run.

    Raises:
        RunFailedError: A contestant failed.
    """
    present, absent = peers()
    contestants = (transload(*wish.transload), *present)
    results = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=wish.folder) as name:
        folder = Path(name)
        tls = make_tls(folder)
        async with empty_registry(folder, tls) as source, registry_client(source, tls) as http:
            race = Race(folder, tls, source, console)
            for subject in subjects(quick=wish.quick):
                if wish.only in subject.repository:
                    image = await push(http, subject)
                    results.append(await race.over(image, contestants, wish.runs))
    return Report(Machine.here(), {peer.name: _version(peer) for peer in present}, absent, tuple(results))


def _version(peer: Contestant) -> str:
    answer = subprocess.run(peer.version, check=False, capture_output=True, text=True)
    return next(iter(answer.stdout.splitlines()), "unknown").removeprefix(f"{peer.name} version ")


def show(report: Report, console: Console) -> None:
    """Print the tables."""
    console.print(f"{report.machine}", highlight=False)
    console.print(", ".join(f"{peer} {version}" for peer, version in report.versions.items()), highlight=False)
    if report.absent:
        console.print(f"not on PATH: {', '.join(report.absent)}")
    for subject in report.subjects:
        console.print(subject.table())
        console.print(subject.ratios())


def main() -> int:
    """Do what the command line asks; 1 when a copy was not equal to its source or a contestant failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=None, help="turns for each contestant (3; with --quick 1)")
    parser.add_argument("--quick", action="store_true", help="small images, to see that it runs at all")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the image with this in its repository's name")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--folder", type=Path, help="where the registries keep their content (a temporary folder)")
    parser.add_argument(
        "--transload", action="append", default=[], metavar="OPTION", help="an option of bench.copy_core; repeatable"
    )
    wish = parser.parse_args()
    wish.runs = wish.runs or (1 if wish.quick else 3)
    console = Console()
    try:
        report = asyncio.run(compare(wish, console))
    except RunFailedError as error:
        print(error, file=sys.stderr)
        return 1
    show(report, console)
    if wish.json:
        wish.json.write_text(json.dumps(report.as_dict(), indent=2) + "\n", encoding="utf-8")
    return 0 if report.all_equal else 1


if __name__ == "__main__":
    sys.exit(main())
