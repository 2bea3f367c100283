"""Makes this checkout ready to work in: `make setup`. Standard library only; it runs before anything is installed.

Steps, each skipped when its inputs have not changed since it last succeeded (a stamp keeps their hash):

1. Debian packages that tests use: `skopeo` and `docker-registry` (installed when root, named when not).
2. `.venv`: the locked requirements of requirements-dev.txt, checked against their hashes, by the locked uv.
3. `node_modules`: Azurite, by `npm ci`.
4. `.venv-infra`: what looks at infra/, host.json and the workflows; in an environment of its own, since it pins much.
5. `.venv-runtime`: Microsoft's own Python runtime library, where a Python 3.13 is found; one test needs it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LEAST_PYTHON = (3, 11)
_LEAST_NODE = 18
_DEBIAN_PACKAGES = {"skopeo": "skopeo", "docker-registry": "docker-registry"}
_RUNTIME_PYTHON = "python3.13"
_INFRA_REQUIREMENTS = "requirements-infra-test.txt"


class SetupError(Exception):
    """Something that set-up cannot mend; the message says what to do."""


def main() -> int:
    """Run all steps; the exit status."""
    try:
        _check_python()
        _install_debian_packages()
        _once("requirements-dev", ROOT / ".venv", [ROOT / "requirements-dev.txt"], _make_venv)
        _once("npm", ROOT / "node_modules", [ROOT / "package.json", ROOT / "package-lock.json"], _install_node_modules)
        _once("requirements-infra-test", ROOT / ".venv-infra", [ROOT / _INFRA_REQUIREMENTS], _make_infra_venv)
        _make_runtime_venv()
    except (SetupError, subprocess.CalledProcessError) as error:
        _say(f"set-up failed: {error}")
        return 1
    return 0


def _check_python() -> None:
    if sys.version_info < _LEAST_PYTHON:
        raise SetupError(f"Python {'.'.join(map(str, _LEAST_PYTHON))} or newer is needed; this is {sys.version}")


def _once(name: str, folder: Path, inputs: Iterable[Path], step: Callable[[], None]) -> None:
    """Run a step unless `folder` holds a stamp with the hash of the same inputs."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (Path(__file__), *inputs):
        digest.update(path.read_bytes())
    stamp = folder / f".{name}.stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    stamp.unlink(missing_ok=True)
    step()
    stamp.write_text(digest.hexdigest())


def _install_debian_packages() -> None:
    missing = [package for program, package in _DEBIAN_PACKAGES.items() if shutil.which(program) is None]
    if missing and not _apt_install(missing):
        _say(f"not installed: {', '.join(missing)}; the tests that need them will be skipped")


def _apt_install(packages: Sequence[str]) -> bool:
    """Install Debian packages where that is possible; whether it was."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run(apt, "-qq", "update", environment=environment)
    _run(apt, "-qq", "install", "--yes", "--no-install-recommends", *packages, environment=environment)
    return True


def _make_venv() -> None:
    venv, requirements = ROOT / ".venv", ROOT / "requirements-dev.txt"
    _new_venv(sys.executable, venv)
    uv = venv / "bin/uv"
    if not uv.exists():
        _install_uv(venv, requirements)
    _sync(venv, requirements)


def _new_venv(python: str, folder: Path) -> None:
    """Make a virtual environment with pip in it, unless there is one that works."""
    if _works(folder / "bin/python"):
        return
    if folder.exists():
        shutil.rmtree(folder)
    made = _quietly(python, "-m", "venv", str(folder))
    if made.returncode == 0:
        return
    shutil.rmtree(folder, ignore_errors=True)
    # Debian keeps ensurepip in a package of its own
    if not _apt_install(["python3-venv"]):
        raise SetupError(f"no virtual environment ({made.stdout.strip()}): install python3-venv")
    _run(python, "-m", "venv", str(folder))


def _install_uv(venv: Path, requirements: Path) -> None:
    """Install the locked uv by pip, checked against its hashes."""
    locked = re.search(r"^uv==.*(?:\n[ \t]+--hash=.*)+", requirements.read_text("utf-8"), re.MULTILINE)
    if locked is None:
        raise SetupError(f"{requirements.name} does not lock uv: run make lock")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
        only_uv.write(locked.group())
        only_uv.flush()
        _run(str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", only_uv.name)


def _sync(venv: Path, requirements: Path) -> None:
    """Make an environment hold exactly what is locked."""
    uv = str(ROOT / ".venv/bin/uv")
    _run(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(venv / "bin/python"), str(requirements))


def _install_node_modules() -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SetupError(
            f"node {_LEAST_NODE} or newer, with npm, is needed (Azurite, the storage emulator, runs on it)"
        )
    version = _quietly(node, "--version").stdout
    if int(version.lstrip("v").split(".")[0]) < _LEAST_NODE:
        raise SetupError(f"node {_LEAST_NODE} or newer is needed; this is {version.strip()}")
    _run(npm, "ci", "--no-audit", "--no-fund", "--no-progress", "--loglevel", "error")


def _make_infra_venv() -> None:
    venv = ROOT / ".venv-infra"
    _new_venv(sys.executable, venv)
    _sync(venv, ROOT / _INFRA_REQUIREMENTS)


def _make_runtime_venv() -> None:
    venv, requirements = ROOT / ".venv-runtime", ROOT / "requirements-runtime-test.txt"
    python = _runtime_python()
    if python is None:
        _say("no Python 3.13 was found; the test on Microsoft's own runtime library will be skipped")
        return

    def make() -> None:
        _new_venv(python, venv)
        _sync(venv, requirements)

    _once("requirements-runtime-test", venv, [requirements], make)


def _runtime_python() -> str | None:
    """Find a Python 3.13 that really runs (a version switcher leaves stubs on PATH that do not)."""
    on_path = shutil.which(_RUNTIME_PYTHON)
    switched = sorted(Path.home().glob(f".pyenv/versions/3.13*/bin/{_RUNTIME_PYTHON}"), reverse=True)
    managed = sorted(Path.home().glob(f".local/share/uv/python/cpython-3.13*/bin/{_RUNTIME_PYTHON}"), reverse=True)
    candidates = [*([Path(on_path)] if on_path else []), *switched, *managed]
    return next((str(candidate) for candidate in candidates if _works(candidate)), None)


def _works(python: Path) -> bool:
    return python.exists() and _quietly(str(python), "-c", "").returncode == 0


def _run(*command: str, environment: dict[str, str] | None = None) -> None:
    """Run a command of ours and say so; raise CalledProcessError when it fails."""
    _say(" ".join(command[:4]) + (" …" if len(command) > 4 else ""))  # noqa: PLR2004 (enough to recognise it)
    subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=True)  # noqa: S603 (our words)


def _quietly(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours for its status and output."""
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our words)


def _say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
