"""Imports run one way through the rooms of the product, and every file is small and says what it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.core.import_rules import (
    LINES_AT_MOST,
    RULES,
    SourceFile,
    azure_packages,
    circles,
    imports_in_functions,
    product_files,
    relative_imports,
    rooms_in_a_circle,
    small_files_that_say_what_they_are,
    the_environment,
    the_registry_room,
    the_three_phases,
    the_way_out,
)

ROOT = Path(__file__).parents[3]
Rule = Callable[[list[SourceFile]], list[str]]


@pytest.mark.parametrize("rule", RULES)
def test_the_product_keeps_the_rule(rule: Rule) -> None:
    """The files as they stand."""
    assert rule(product_files(ROOT)) == []


def test_the_rules_are_about_the_whole_product() -> None:
    """A moved folder must not make every rule true of nothing."""
    paths = {file.path for file in product_files(ROOT)}

    assert {"function_app.py", "importcore/wiring.py", "importcore/registry/client.py"} <= paths
    assert any(path.startswith("importcore/storage/") for path in paths)


@pytest.mark.parametrize(
    ("rule", "path", "line", "breach"),
    [
        (azure_packages, "importcore/phases/plan.py", "import azure.functions as f", "azure.functions"),
        (azure_packages, "importcore/phases/plan.py", "from azure import functions", "azure.functions"),
        (azure_packages, "importcore/run/claim.py", "from azure.storage.queue.aio import QueueClient", "azure.storage"),
        (azure_packages, "function_app.py", "import azure.data.tables", "azure.data"),
        (azure_packages, "importcore/access/identity.py", "from azure.identity.aio import X", "azure.identity"),
        (the_way_out, "importcore/phases/plan.py", "import devtools.emulator", "devtools"),
        (the_way_out, "importcore/phases/plan.py", "from function_app import app", "function_app"),
        (relative_imports, "importcore/phases/plan.py", "from . import transfer", "imports ."),
        (
            the_registry_room,
            "importcore/registry/client.py",
            "from importcore.state.record import X",
            "importcore.state.record",
        ),
        (
            the_registry_room,
            "importcore/registry/auth.py",
            "from importcore.access import identity",
            "importcore.access",
        ),
        (the_registry_room, "importcore/registry/auth.py", "import importcore.errors_of_ours", "errors_of_ours"),
        (
            the_three_phases,
            "importcore/phases/transfer.py",
            "from importcore.phases.commit import Commit",
            "importcore.phases.commit",
        ),
        (
            the_three_phases,
            "importcore/phases/planning.py",
            "from importcore.phases import transfer",
            "importcore.phases.transfer",
        ),
        (
            the_three_phases,
            "importcore/phases/commit.py",
            "from importcore.phases.blob_copy import BlobCopy",
            "importcore.phases.blob_copy",
        ),
        (
            the_three_phases,
            "importcore/phases/blob_copy.py",
            "import importcore.phases.planning",
            "importcore.phases.planning",
        ),
        (the_environment, "importcore/settings/model.py", "import os; X = os.environ['X']", "line 2"),
        (the_environment, "importcore/phases/plan.py", "from os import getenv", "line 2"),
        (circles, "importcore/errors.py", "from importcore.reference import X", "importcore.reference"),
        (rooms_in_a_circle, "importcore/state/record.py", "import importcore.run.claim", "run leads to state"),
        (imports_in_functions, "importcore/phases/plan.py", "def f():\n    import json", "in f"),
        (small_files_that_say_what_they_are, "importcore/phases/plan.py", "\n" * LINES_AT_MOST, "lines"),
    ],
)
def test_a_rule_sees_its_breach(tmp_path: Path, rule: Rule, path: str, line: str, breach: str) -> None:
    """In a made-up tree that is in order until one line is added."""
    for made_up in (
        "function_app.py",
        "importcore/wiring.py",
        "importcore/reference.py",
        "importcore/run/claim.py",
        path,
    ):
        (tmp_path / made_up).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / made_up).write_text('"""A docstring."""\n')
    (tmp_path / "importcore/reference.py").write_text('"""A docstring."""\nfrom importcore.errors import X\n')
    (tmp_path / "importcore/run/claim.py").write_text('"""A docstring."""\nfrom importcore.state.record import X\n')
    assert rule(product_files(tmp_path)) == []

    (tmp_path / path).write_text(f'"""A docstring."""\n{line}\n')

    found = rule(product_files(tmp_path))
    assert found
    assert all(breach in line_found for line_found in found)


@pytest.mark.parametrize(
    ("rule", "path", "line"),
    [
        (azure_packages, "importcore/storage/queue.py", "from azure.storage.queue.aio import QueueClient"),
        (azure_packages, "importcore/wiring.py", "from azure.identity.aio import X"),
        (azure_packages, "importcore/access/identity.py", "from azure.core.exceptions import X"),
        (the_registry_room, "importcore/registry/client.py", "from importcore.registry.blob import BlobReader"),
        (the_three_phases, "importcore/phases/transfer.py", "from importcore.phases.blob_copy import BlobCopy"),
        (the_environment, "importcore/wiring.py", "import os; X = os.environ"),
        (the_environment, "importcore/sealing.py", "import os; X = os.urandom(12)"),
        (
            circles,
            "importcore/errors.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from importcore.reference import X",
        ),
    ],
)
def test_a_rule_lets_pass_what_is_right(tmp_path: Path, rule: Rule, path: str, line: str) -> None:
    """Else it would say nothing."""
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "importcore/reference.py").write_text('"""A docstring."""\nfrom importcore.errors import X\n')
    (tmp_path / path).write_text(f'"""A docstring."""\n{line}\n')

    assert rule(product_files(tmp_path)) == []


def test_a_file_without_a_docstring_is_named(tmp_path: Path) -> None:
    """Also an empty one."""
    (tmp_path / "function_app.py").write_text("")

    assert small_files_that_say_what_they_are(product_files(tmp_path)) == ["function_app.py has no docstring"]
