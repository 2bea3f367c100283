"""The examples for pipelines have the shape that their platforms publish as schemas (check-jsonschema brings them)."""

from pathlib import Path

import pytest
from check_jsonschema import main  # type: ignore[import-untyped]
from click.testing import CliRunner

EXAMPLES = Path(__file__).parents[3] / "examples"
CHECKS = {
    "github": ("--builtin-schema", "vendor.github-workflows"),
    "azure-devops": ("--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines"),
    "gitlab": ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}
FILES = sorted(EXAMPLES.rglob("*.yml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_an_example_is_what_its_platform_accepts(path: Path) -> None:
    """Nothing misspelt, nothing in the wrong place."""
    result = CliRunner().invoke(main, [*CHECKS[path.parent.name], str(path)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("platform", CHECKS)
def test_every_platform_has_a_form_with_a_key_and_one_without_a_secret(platform: str) -> None:
    """And no example prints or stores what it must not: a key is only ever a variable of the platform."""
    texts = {path.name: path.read_text() for path in FILES if path.parent.name == platform}
    assert set(texts) == {"import-image.yml", "import-image-entra.yml"}
    assert "TRANSLOAD_KEY" not in texts["import-image-entra.yml"]
    assert "set -x" not in "".join(texts.values())
