"""What the runs gave: medians, ratios pair by pair, as tables and as JSON."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.table import Table

from bench.contestants import TRANSLOAD
from bench.measurement import Cost, Machine
from bench.subjects import MEBIBYTE, PushedImage


@dataclass(frozen=True, slots=True)
class Run:
    """One copy by one contestant; runs of the same `turn` were made one right after the other."""

    contestant: str
    turn: int
    cost: Cost
    copy: dict[str, float]
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ratio:
    """Transload's cost divided by a peer's in the same turn: the median of the turns, the least and the largest."""

    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.least:.2f} to {self.most:.2f})"


@dataclass(frozen=True, slots=True)
class SubjectResult:
    """All runs over one image."""

    image: PushedImage
    runs: tuple[Run, ...]

    def contestants(self) -> list[str]:
        """Everybody who ran, in the order of the first turn."""
        return list(dict.fromkeys(run.contestant for run in self.runs))

    def of(self, contestant: str) -> list[Run]:
        """A contestant's runs, turn by turn."""
        return sorted((run for run in self.runs if run.contestant == contestant), key=lambda run: run.turn)

    def ratio(self, peer: str, field: str) -> Ratio:
        """Compare Transload with a peer in one field of `Cost`."""
        pairs = zip(self.of(TRANSLOAD), self.of(peer), strict=True)
        values = [getattr(own.cost, field) / getattr(other.cost, field) for own, other in pairs]
        return Ratio(median(values), min(values), max(values))

    def table(self) -> Table:
        """Medians, one row for each contestant."""
        table = Table(title=f"{self.image.subject.title} ({self.image.size / MEBIBYTE:,.0f} MiB)", title_justify="left")
        for heading in ("copier", "wall s", "CPU s", "peak MiB", "MiB/s", "copies equal"):
            table.add_column(heading, justify="left" if heading == "copier" else "right")
        for name in self.contestants():
            runs = self.of(name)
            wall = median(run.cost.wall for run in runs)
            table.add_row(
                name,
                f"{wall:.2f}",
                f"{median(run.cost.cpu for run in runs):.2f}",
                f"{median(run.cost.peak for run in runs) / MEBIBYTE:.0f}",
                f"{self.image.size / MEBIBYTE / wall:.0f}",
                f"{sum(not run.wrong for run in runs)} of {len(runs)}",
            )
            if all(run.copy for run in runs):
                copy_wall, copy_cpu = (median(run.copy[key] for run in runs) for key in ("copy_wall", "copy_cpu"))
                rate = f"{self.image.size / MEBIBYTE / copy_wall:.0f}"
                table.add_row("  its copy alone", f"{copy_wall:.2f}", f"{copy_cpu:.2f}", "", rate, "")
        return table

    def ratios(self) -> Table:
        """Transload against each peer; below 1 is better for Transload."""
        title = "Transload / peer, turn by turn: median (least to most); below 1 is better"
        table = Table(title=title, title_justify="left")
        for heading in ("peer", "wall", "CPU", "peak memory"):
            table.add_column(heading)
        for name in self.contestants():
            if name != TRANSLOAD:
                table.add_row(name, *(str(self.ratio(name, field)) for field in ("wall", "cpu", "peak")))
        return table

    def as_dict(self) -> dict[str, Any]:
        """For a JSON file."""
        peers = [name for name in self.contestants() if name != TRANSLOAD]
        ratios = {peer: {field: asdict(self.ratio(peer, field)) for field in ("wall", "cpu", "peak")} for peer in peers}
        return {
            "image": self.image.subject.title,
            "manifest": self.image.manifest,
            "bytes": self.image.size,
            "runs": [asdict(run) for run in self.runs],
            "ratios": ratios,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All that was measured."""

    machine: Machine
    versions: dict[str, str]
    absent: tuple[str, ...]
    subjects: tuple[SubjectResult, ...]

    @property
    def all_equal(self) -> bool:
        """Whether every copy was equal to its source."""
        return not any(run.wrong for subject in self.subjects for run in subject.runs)

    def as_dict(self) -> dict[str, Any]:
        """For a JSON file."""
        return {
            "machine": asdict(self.machine),
            "versions": self.versions,
            "not on PATH": list(self.absent),
            "subjects": [subject.as_dict() for subject in self.subjects],
        }
