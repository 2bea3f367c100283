"""Takes away, one after the other, what the promises stand on: `make mutants`. A test must fail each time.

The lists in `tests/mutants/` say what is taken away and which tests must notice. Each is tried in a copy of the
repository, so that nothing here changes. The exit code is 1 when one of them went unnoticed.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "tests" / "mutants"
_FAILED = 1  # pytest's exit code where tests failed; any other says that they could not be run


@dataclass(frozen=True, slots=True)
class Change:
    """A text that stands once in a file, and what takes its place."""

    file: str
    old: str
    new: str

    def problem(self, root: Path) -> str | None:
        """Tell why it cannot be made; None when it can."""
        times = (root / self.file).read_text().count(self.old)
        return None if times == 1 and self.new != self.old else f"{self.file} has {times} times: {self.old.strip()}"

    def make(self, root: Path) -> None:
        """Write it into the file."""
        path = root / self.file
        path.write_text(path.read_text().replace(self.old, self.new))


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mechanism less, and the tests of which one must fail then."""

    name: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]


def mutants(named: str = "*") -> list[Mutant]:
    """Read the lists, or the one that is named."""

    def change(entry: dict[str, Any]) -> Change:
        return Change(entry["file"], entry["old"], entry["new"])

    return [
        Mutant(entry["name"], (change(entry), *map(change, entry.get("also", []))), tuple(entry["tests"]))
        for file in sorted(LISTS.glob(f"{named}.toml"))
        for entry in tomllib.loads(file.read_text())["mutant"]
    ]


def noticed(mutant: Mutant, copy: Path) -> tuple[bool, str]:
    """Try one in a copy of the repository; whether a test failed, and which, in the words of pytest."""
    touched = {copy / change.file: (copy / change.file).read_text() for change in mutant.changes}
    command = [str(ROOT / ".venv/bin/python"), "-B", "-m", "pytest", "-xq", "-p", "no:cacheprovider", *mutant.tests]
    command += ["--ignore", "tests/unit/core/test_mutants.py"]  # it says that the text is gone, which is no news
    try:
        for change in mutant.changes:
            if problem := change.problem(copy):
                return False, problem
            change.make(copy)
        ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    finally:
        for path, text in touched.items():
            path.write_text(text)
    said = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED tests/", "ERROR tests/"))]
    return ran.returncode == _FAILED, said[0].split(" - ")[0] if said else f"pytest ended with {ran.returncode}"


def _copy(to: Path) -> Path:
    command = [shutil.which("git") or "git", "ls-files", "-co", "--exclude-standard", "-z"]
    tracked = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603 (git, of the developer)
    for name in filter(None, tracked.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    for name in (".venv", ".venv-runtime", "node_modules"):
        if (ROOT / name).exists():
            (to / name).symlink_to(ROOT / name)
    return to


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="make mutants", description="Take mechanisms away; a test must fail")
    parser.add_argument("--list", default="*", help="those of one list, such as reliability")
    parser.add_argument("--only", default="", help="those whose name has this text")
    options = parser.parse_args()
    chosen = [mutant for mutant in mutants(options.list) if options.only in mutant.name]
    if not chosen:
        parser.error("no mutant has this name")
    print("| taken away | noticed by | s |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="transload-mutants-") as folder:
        copy = _copy(Path(folder))
        return 1 if sum([not _tried(mutant, copy) for mutant in chosen]) else 0


def _tried(mutant: Mutant, copy: Path) -> bool:
    """Try one and print its line; whether it was noticed."""
    began = time.monotonic()
    found, by = noticed(mutant, copy)
    print(f"| {mutant.name} | {'' if found else 'NOTHING: '}{by} | {time.monotonic() - began:.0f} |", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
