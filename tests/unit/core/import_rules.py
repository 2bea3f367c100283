"""The rules of the house, read off the source with `ast`: who may import what, and how long a file may be.

Each rule takes the product's files and gives the breaches it found, as lines that a developer can act on.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

LINES_AT_MOST = 330
PHASES = {
    "plan": {"planning", "manifest_reader", "platforms", "referrers", "signature_gate", "cosign"},
    "transfer": {"transfer", "blob_copy", "chunked_blob", "whole_blob", "blob_task", "attempts"},
    "commit": {"commit", "attach"},
}
_REGISTRY_MAY_IMPORT = ("content", "descriptors", "errors", "reference", "settings", "registry")
_DEPTH_OF_A_ROOM = 2
_ENVIRONMENT = {"environ", "getenv", "environb"}


@dataclass(frozen=True)
class SourceFile:
    """One file of the product; `path` is relative to the repository's root, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.text)

    @property
    def module(self) -> str:
        """The dotted name under which it is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def imports(self, *, at_run_time: bool = False) -> Iterator[str]:
        """Every module that is imported anywhere in it; `at_run_time` leaves out those for the type checker."""
        skipped = set(self._for_the_type_checker()) if at_run_time else set()
        for node in ast.walk(self.tree):
            if node in skipped:
                continue
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _for_the_type_checker(self) -> Iterator[ast.AST]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                for statement in node.body:
                    yield from ast.walk(statement)


def product_files(root: Path) -> list[SourceFile]:
    """What is deployed: the triggers and `importcore`."""
    paths = [root / "function_app.py", *sorted((root / "importcore").rglob("*.py"))]
    return [SourceFile(p.relative_to(root).as_posix(), p.read_text("utf-8")) for p in paths if p.exists()]


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def _only(files: list[SourceFile], packages: tuple[str, ...], allowed: tuple[str, ...]) -> list[str]:
    return sorted(
        f"{file.path} imports {module}"
        for file in files
        for module in set(file.imports())
        if _within(module, packages) and not file.path.startswith(allowed)
    )


def azure_packages(files: list[SourceFile]) -> list[str]:
    """Each Azure package has its one room; the composition root may also see the storage clients."""
    return [
        *_only(files, ("azure.functions",), ("function_app.py",)),
        *_only(files, ("azure.storage", "azure.data"), ("importcore/storage/", "importcore/wiring.py")),
        *_only(files, ("azure.identity",), ("importcore/wiring.py",)),
    ]


def the_way_out(files: list[SourceFile]) -> list[str]:
    """Nothing in the product knows the developers' tools or the tests, and no room knows the triggers."""
    inside = [file for file in files if file.path.startswith("importcore/")]
    return [*_only(files, ("devtools", "tests", "bench"), ()), *_only(inside, ("function_app",), ())]


def relative_imports(files: list[SourceFile]) -> list[str]:
    """Every import says its whole name, so that these rules see it."""
    return [f"{file.path} imports {name}" for file in files for name in file.imports() if name.startswith(".")]


def the_registry_room(files: list[SourceFile]) -> list[str]:
    """`registry` knows content, errors, references and settings; nothing of imports."""
    allowed = tuple(f"importcore.{name}" for name in _REGISTRY_MAY_IMPORT)
    return sorted(
        f"{file.path} imports {module}"
        for file in files
        if file.path.startswith("importcore/registry/")
        for module in set(file.imports())
        if _within(module, ("importcore",)) and not _within(module, allowed) and module != "importcore"
    )


def the_three_phases(files: list[SourceFile]) -> list[str]:
    """Plan, transfer (with its `blob_copy`) and commit never import each other; only their caller knows their order."""
    phase_of = {f"importcore.phases.{module}": phase for phase, modules in PHASES.items() for module in modules}
    return sorted(
        f"{file.module} imports {module}"
        for file in files
        for module in set(file.imports())
        if file.module in phase_of and module in phase_of and phase_of[file.module] != phase_of[module]
    )


def the_environment(files: list[SourceFile]) -> list[str]:
    """Only the composition root reads the environment; it hands it to `Settings`."""
    found = set()
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
                names = {node.attr}
            elif isinstance(node, ast.ImportFrom) and node.module == "os":
                names = {alias.name for alias in node.names}
            else:
                continue
            if names & _ENVIRONMENT and file.path != "importcore/wiring.py":
                found.add(f"{file.path} reads the environment in line {node.lineno}")
    return sorted(found)


def circles(files: list[SourceFile]) -> list[str]:
    """Imports run one way: no module reaches itself again."""
    modules = {file.module for file in files}
    try:
        TopologicalSorter({f.module: set(f.imports(at_run_time=True)) & modules - {f.module} for f in files}).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def rooms_in_a_circle(files: list[SourceFile]) -> list[str]:
    """The folders of `importcore` are rooms, and no way through them leads back to where it began."""
    rooms: dict[str, set[str]] = {}
    for file in files:
        room = _room(file.module)
        if room is not None:
            reached = {_room(module) for module in file.imports(at_run_time=True)}
            rooms.setdefault(room, set()).update(other for other in reached if other not in {None, room})
    try:
        TopologicalSorter(rooms).prepare()
    except CycleError as error:
        return [" leads to ".join(reversed(error.args[1]))]
    return []


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "importcore" and len(parts) > _DEPTH_OF_A_ROOM else None


def imports_in_functions(files: list[SourceFile]) -> list[str]:
    """Imports stand at the top of a file; only the composition root may keep a heavy one out of a cold start."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return sorted(
        f"{file.path} imports in {node.name}"
        for file in files
        for node in ast.walk(file.tree)
        if isinstance(node, functions)
        and file.path != "importcore/wiring.py"
        and any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node))
    )


def small_files_that_say_what_they_are(files: list[SourceFile]) -> list[str]:
    """Each file has a docstring and at most 330 lines."""
    long = [f"{f.path} has {n} lines" for f in files if (n := len(f.text.splitlines())) > LINES_AT_MOST]
    return [*long, *(f"{file.path} has no docstring" for file in files if not ast.get_docstring(file.tree))]


RULES = (
    azure_packages,
    the_way_out,
    relative_imports,
    the_registry_room,
    the_three_phases,
    the_environment,
    circles,
    rooms_in_a_circle,
    imports_in_functions,
    small_files_that_say_what_they_are,
)
