"""Reads from Bicep files the little that tests hold to the code: simple variables, parameters, references.

No parser: these tests run wherever the code does. That the files are right Bicep is for `tests/infra` to say.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
INFRA = ROOT / "infra"


def text(path: str) -> str:
    """Read a file under infra/, without its comments."""
    return re.sub(r"^\s*//.*\n", "", (INFRA / path).read_text("utf-8"), flags=re.MULTILINE)


def block(path: str, variable: str) -> str:
    """Give what stands between the brackets or braces of `var NAME = [` or `= … {`, which end in the first column."""
    match = re.search(rf"^var {variable} = [^\n]*[\[{{]\n(.*?)^[\]}}]", text(path), re.MULTILINE | re.DOTALL)
    assert match, f"infra/{path} has no variable {variable} on several lines"
    return match[1]


def items(path: str, variable: str) -> set[str]:
    """Give the texts of an array variable."""
    return set(re.findall(r"^  '([^']+)'$", block(path, variable), re.MULTILINE))


def keys(path: str, variable: str) -> set[str]:
    """Give the names in an object variable."""
    return set(re.findall(r"^  (\w+):", block(path, variable), re.MULTILINE))


def parameters(path: str) -> dict[str, str]:
    """Give each parameter with its description; an empty one where it has none."""
    found: dict[str, str] = {}
    description = ""
    for line in text(path).splitlines():
        if line.startswith("@description('"):
            description = line.removeprefix("@description('").removesuffix("')")
        elif match := re.match(r"param (\w+) ", line):
            found[match[1]] = description
            description = ""
        elif not line:
            description = ""
    return found


def bicep_files() -> list[str]:
    """Name every Bicep file under infra/."""
    return sorted(str(path.relative_to(INFRA)) for path in INFRA.rglob("*.bicep"))
