"""Indexing of an app through azure-functions' own metadata."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from devtools.functions_host.app_settings import AppSettings
from devtools.functions_host.indexing import HttpTrigger, IndexingError, index_app


@pytest.fixture(autouse=True)
def _own_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexing puts the app on the import path, for good: in a test it must not stay there."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "function_app", ModuleType("function_app"))


def test_an_app_is_indexed_with_its_settings(tmp_path: Path) -> None:
    """`%NAME%` is replaced, default names and levels are those of azure-functions."""
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\n"
        "app = func.FunctionApp(http_auth_level=func.AuthLevel.ADMIN)\n"
        "@app.route()\n"
        "def first(req: func.HttpRequest) -> str: return ''\n"
        "@app.function_name('other')\n"
        "@app.route('%PREFIX%/x', methods=['PUT'], auth_level='anonymous')\n"
        "async def second(req: func.HttpRequest) -> str: return ''\n"
    )
    first, second = index_app(tmp_path, AppSettings({"PREFIX": "p"}))
    assert (first.name, first.trigger, first.is_async) == ("first", HttpTrigger("first", None, "admin"), False)
    assert second.trigger == HttpTrigger("p/x", frozenset({"PUT"}), "anonymous")
    assert (second.name, second.is_async) == ("other", True)


def test_an_output_binding_is_refused_by_name(tmp_path: Path) -> None:
    """What would silently do nothing is refused."""
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\n"
        "app = func.FunctionApp()\n"
        "@app.route('x')\n"
        "@app.queue_output(arg_name='out', queue_name='q', connection='C')\n"
        "def first(req: func.HttpRequest, out: func.Out[str]) -> str: return ''\n"
    )
    with pytest.raises(IndexingError, match="first: the local host does not know queue"):
        index_app(tmp_path, AppSettings({}))
