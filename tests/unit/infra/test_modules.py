"""What a compiler would say of infra/, as far as it can be read: names, modules, parameters, outputs fit together."""

import re
from os.path import normpath
from pathlib import PurePosixPath

import pytest

from tests.unit.infra.bicep_code import code, declared, functions, modules, outputs_used, used
from tests.unit.infra.bicep_text import bicep_files, text

_FUNCTIONS = {
    *(
        "concat",
        "contains",
        "empty",
        "environment",
        "fail",
        "guid",
        "join",
        "last",
        "listKeys",
        "loadJsonContent",
        "newGuid",
    ),
    *("replace", "resourceGroup", "split", "string", "subscription", "subscriptionResourceId", "substring", "tenant"),
    *("toLower", "trim", "union", "uniqueString"),
}
"""Functions of Bicep that are used; a new one is looked up in its reference first."""


@pytest.mark.parametrize("path", bicep_files())
def test_every_name_is_declared(path: str) -> None:
    """A misspelt name is an error of the compiler; a declared name that nobody uses is a leftover."""
    assert used(path) - declared(path) == set()
    assert functions(path) - _FUNCTIONS == set()
    source = code(path)
    assert {name for name in declared(path) if len(re.findall(rf"\b{name}\b", source)) == 1} <= _standing_alone(path)


@pytest.mark.parametrize("path", bicep_files())
def test_every_module_gets_what_it_takes(path: str) -> None:
    """Each parameter without a default is given, none is given that the module does not have."""
    for module in modules(path):
        target = _file_of(path, module.file)
        takes = dict(re.findall(r"^param (\w+) \w+( = )?", text(target), re.MULTILINE))
        required = {name for name, default in takes.items() if not default}
        assert not required - module.given, module.symbol
        assert not module.given - set(takes), module.symbol


@pytest.mark.parametrize("path", bicep_files())
def test_every_output_that_is_taken_is_there(path: str) -> None:
    """A module says what it gives; and what it gives, somebody takes."""
    files = {module.symbol: _file_of(path, module.file) for module in modules(path)}
    for symbol, name in outputs_used(path):
        assert symbol in files
        assert re.search(rf"^output {name} ", text(files[symbol]), re.MULTILINE), (symbol, name)


def test_every_file_is_used() -> None:
    """A module that nothing deploys is not part of the infrastructure."""
    deployed = {_file_of(path, module.file) for path in bicep_files() for module in modules(path)}
    assert deployed == set(bicep_files()) - {"main.bicep"}


def test_what_the_code_of_a_file_is() -> None:
    """Strings are no code, what is interpolated in them is, at any depth."""
    source = code("main.bicep")
    assert "rg-" not in source
    assert re.search(r"groupName = empty\(mistake\) \? +\(environmentName\) +: fail\(mistake\)", source)


def _file_of(path: str, module: str) -> str:
    return normpath(PurePosixPath(path).parent / module)


def _standing_alone(path: str) -> set[str]:
    """Resources and modules do their work without being named again."""
    return set(re.findall(r"^(?:resource|module) (\w+)", code(path), re.MULTILINE))
