"""What of a Bicep file is code: the text without comments, decorators and strings, but with what strings interpolate.

Bicep refuses a file that uses a name which is not declared, or gives a module what it does not take. No compiler runs
where these tests do, so they look for the most common of those mistakes themselves.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.unit.infra.bicep_text import text

_NAME = re.compile(r"(?<![\w.?@])[A-Za-z_]\w*")
_DECLARED = re.compile(r"^(?:param|var|resource|module) (\w+)", re.MULTILINE)
_LOOP = re.compile(r"\[for (?:\((\w+), (\w+)\)|(\w+)) in ")
_WORDS = {
    *("param", "var", "resource", "module", "output", "targetScope", "existing", "if", "for", "in"),
    *("true", "false", "null", "string", "int", "bool", "array", "object"),
}


class Module(NamedTuple):
    """A module that a file uses: its symbol, the file it names, and the names of the parameters that it is given."""

    symbol: str
    file: str
    given: frozenset[str]


def code(path: str) -> str:
    """Give a file's code; of each string only the interpolated expressions are left, in parentheses."""
    lines = re.sub(r"^@\w+\(.*\)$", "", text(path), flags=re.MULTILINE)
    return "".join(_outside_strings(re.sub(r"^@\w+\(\{\n.*?^\}\)$", "", lines, flags=re.MULTILINE | re.DOTALL)))


def _outside_strings(source: str) -> Iterator[str]:
    depths: list[int] = []  # braces open in each interpolation that is under way
    in_string, position = False, 0
    while position < len(source):
        here = source[position]
        if in_string:
            if here == "\\":
                position += 1
            elif source.startswith("${", position):
                in_string, position = False, position + 1
                depths.append(0)
                yield " ("
            elif here == "'":
                in_string = False
        elif here == "'":
            in_string = True
        elif depths and here == "}" and depths[-1] == 0:
            depths.pop()
            in_string = True
            yield ") "
        else:
            if depths:
                depths[-1] += (here == "{") - (here == "}")
            yield here
        position += 1


def declared(path: str) -> set[str]:
    """Give what a file declares: parameters, variables, resources, modules, and the variables of its loops."""
    source = code(path)
    loops = {name for match in _LOOP.finditer(source) for name in match.groups() if name}
    return set(_DECLARED.findall(source)) | loops


def used(path: str) -> set[str]:
    """Give the names that a file's expressions use, without functions and the keys of objects."""
    source = code(path)
    found = set()
    for match in _NAME.finditer(source):
        after = source[match.end() : match.end() + 2]
        # the formatter writes `key:` and, in a condition, `value :`
        if match[0] not in _WORDS and not after.startswith(("(", ":")):
            found.add(match[0])
    outputs = re.findall(r"^output (\w+)", source, re.MULTILINE)
    return found - set(outputs)


def functions(path: str) -> set[str]:
    """Give the functions that a file calls."""
    return set(re.findall(r"(?<![\w.@])([a-z]\w*)\(", code(path))) - _WORDS


def modules(path: str) -> list[Module]:
    """Give the modules of a file."""
    source = text(path)
    found = []
    for match in re.finditer(r"^module (\w+) '([^']+)' = [^\n]*\n(.*?)^\}", source, re.MULTILINE | re.DOTALL):
        given = re.search(r"^  params: \{\n(.*?)^  \}", match[3], re.MULTILINE | re.DOTALL)
        names = re.findall(r"^    (\w+):", given[1], re.MULTILINE) if given else []
        found.append(Module(match[1], match[2], frozenset(names)))
    return found


def outputs_used(path: str) -> set[tuple[str, str]]:
    """Give the outputs that a file takes from its modules: the module's symbol and the output's name."""
    return set(re.findall(r"\b(\w+)(?:\[\w+\])?!?\.outputs\.(\w+)", code(path)))
