"""Every file under infra/ is Bicep, as an independent parser reads it. What its words mean is for tests/unit/infra."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.infra.conftest import ROOT

Script = Callable[..., Awaitable[object]]


async def test_every_file_can_be_parsed(script: Script) -> None:
    """No bracket, comma or quote is missing anywhere."""
    assert await script("bicep_syntax.py", str(ROOT / "infra")) == {}


async def test_the_parser_notices_what_is_no_bicep(script: Script, tmp_path: Path) -> None:
    """A bracket that is not closed is named with its file."""
    (tmp_path / "broken.bicep").write_text("param name string = toLower('a'\n")
    found = await script("bicep_syntax.py", str(tmp_path))
    assert isinstance(found, dict)
    assert list(found) == ["broken.bicep"]
