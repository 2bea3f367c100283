"""What one run of a program cost: wall time, processor time, peak memory."""

import asyncio
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_STOPWATCH = Path(__file__).with_name("stopwatch.py")


class RunFailedError(Exception):
    """A measured program did not end with 0; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run cost.

    Attributes:
        wall: Seconds from start to end.
        cpu: Processor seconds, user and system, of the process and the children that it waited for.
        peak: The largest resident memory of any one of them, in bytes.
    """

    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A run's cost and what it wrote to standard output."""

    cost: Cost
    output: str


async def measure(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Measured:
    """Run a program to its end.

    Args:
        command: Program and arguments.
        environment: Variables beside this process's own.
        folder: Where a small file can be written.

    Raises:
        RunFailedError: It failed.
    """
    report = folder / "cost"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(_STOPWATCH), str(report), *command,
        env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, trouble = await process.communicate()
    if process.returncode != 0:
        said = (trouble or output).decode(errors="replace").strip()
        raise RunFailedError(f"{command[0]} ended with {process.returncode}: {said[-2000:]}")
    wall, user, system, peak = map(float, report.read_text(encoding="ascii").split())
    return Measured(Cost(wall, user + system, int(peak) * 1024), output.decode())


@dataclass(frozen=True, slots=True)
class Machine:
    """Where something was measured; `load` is the mean number of running processes over the last minute."""

    processor: str
    cores: int
    load: float
    system: str
    python: str

    @classmethod
    def here(cls) -> "Machine":
        """This machine, now."""
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        named = (line.partition(":")[2].strip() for line in facts if line.startswith("model name"))
        return cls(
            processor=next(named, platform.machine()),
            cores=os.cpu_count() or 1,
            load=os.getloadavg()[0],
            system=f"{platform.system()} {platform.release()}",
            python=platform.python_version(),
        )

    def __str__(self) -> str:
        return f"{self.cores} cores of {self.processor}, {self.system}, Python {self.python}, load {self.load:.1f}"
