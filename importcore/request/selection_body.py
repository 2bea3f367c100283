"""What a request says about several imports: `tags`, `repositories`, `targetTemplate`; its meaning, or what is wrong.

Called by `request.py` for a body that selects; reads the raw values, so that everything wrong is named at once.
"""

from collections.abc import Callable
from typing import Any

from importcore.errors import FieldProblem, InvalidReferenceError, InvalidRequestError
from importcore.reference import Reference, normal_registry
from importcore.request.selection import DEFAULT_TEMPLATE, Selection, fill_in, is_glob
from importcore.request.tag_choice import TagChoice, is_range

_CHOOSING = ("include", "exclude", "semver", "newest")


def selects(value: dict[str, Any]) -> bool:
    """Tell whether a body means several imports: `tags` with more in it than `sameDigest`, or `repositories`."""
    tags = value.get("tags")
    return value.get("repositories") is not None or (isinstance(tags, dict) and any(name in tags for name in _CHOOSING))


class SelectionReader:
    """Reads the selection of one body; `wrong` gets every problem with its path."""

    def __init__(self, value: dict[str, Any], default_target: str | None, wrong: Callable[[str, str], None]) -> None:
        self._value = value
        self._default_target = default_target
        self._wrong = wrong

    def read(self) -> Selection | None:
        """Give the meaning; None where something is wrong (and was named)."""
        found: list[FieldProblem] = []
        outer, self._wrong = self._wrong, lambda path, text: found.append(FieldProblem("invalid_value", text, path))
        source = self._source()
        target = self._target_registry()
        tags = self._tags()
        template = self._template(target)
        for other in ("target", "targetTags", "untaggedTargetRepositories"):
            if self._value.get(other):
                self._wrong(other, "cannot stand beside a selection; use `targetRegistry` and `targetTemplate`")
        for problem in found:
            outer(problem.target, problem.message)
        if found or source is None or target is None:
            return None
        return Selection(*source, tags, target, template)

    def _source(self) -> tuple[str, tuple[str, ...]] | None:
        """The source registry and the repositories, from `source` and, where given, `repositories`."""
        repositories = self._repositories()
        source = self._value.get("source")
        path, image, registry = "source", source, None
        if isinstance(source, dict):
            path, image, registry = "source.sourceImage", source.get("sourceImage"), source.get("registryUri")
        try:
            if repositories is not None:
                if isinstance(source, dict) and image is not None:
                    self._wrong(path, "cannot stand beside `repositories`, which already names them")
                address = registry if isinstance(source, dict) else source
                return (normal_registry(address), repositories) if isinstance(address, str) else None
            if not isinstance(image, str):
                return None
            named = isinstance(registry, str)
            reference = Reference.in_registry(normal_registry(registry), image) if named else Reference.parse(image)  # type: ignore[arg-type]
        except InvalidReferenceError as error:
            self._wrong(path if repositories is None else "source", error.message)
            return None
        if reference.tag or reference.digest:
            self._wrong(path, "must name a repository alone, because `tags` chooses its tags")
        return reference.registry, (reference.repository,)

    def _repositories(self) -> tuple[str, ...] | None:
        names = self._value.get("repositories")
        if not isinstance(names, list):
            return None
        for number, name in enumerate(names):
            if isinstance(name, str) and not is_glob(name):
                self._check_name(f"repositories.{number}", name)
        return tuple(name for name in names if isinstance(name, str))

    def _check_name(self, path: str, name: str) -> None:
        try:
            reference = Reference.in_registry("registry.example", name)
        except InvalidReferenceError as error:
            self._wrong(path, error.message)
            return
        if reference.tag or reference.digest:
            self._wrong(path, "must name a repository alone; `tags` chooses its tags")

    def _target_registry(self) -> str | None:
        named = self._value.get("targetRegistry", self._default_target)
        if named is None:
            self._wrong("targetRegistry", "is required, because no default is configured")
            return None
        try:
            return normal_registry(named) if isinstance(named, str) else None
        except InvalidReferenceError as error:
            self._wrong("targetRegistry", error.message)
            return None

    def _tags(self) -> TagChoice:
        tags = self._value.get("tags")
        if not isinstance(tags, dict):
            return TagChoice()
        if tags.get("sameDigest"):
            self._wrong("tags.sameDigest", "cannot stand beside a choice of tags")
        wanted = tags.get("semver")
        if isinstance(wanted, str) and not is_range(wanted):
            self._wrong("tags.semver", "is no range of versions; write for example >=1.2 <2")
        include, exclude, newest = tags.get("include"), tags.get("exclude"), tags.get("newest")
        return TagChoice(
            include=tuple(t for t in include if isinstance(t, str)) if isinstance(include, list) else (),
            exclude=tuple(t for t in exclude if isinstance(t, str)) if isinstance(exclude, list) else (),
            semver=wanted if isinstance(wanted, str) else None,
            newest=newest if isinstance(newest, int) else None,
        )

    def _template(self, target: str | None) -> str:
        template = self._value.get("targetTemplate", DEFAULT_TEMPLATE)
        if not isinstance(template, str):
            return DEFAULT_TEMPLATE
        try:
            sample = Reference.in_registry(target or "registry.example", fill_in(template, "a/b", "1.0"))
        except InvalidRequestError as error:
            self._wrong("targetTemplate", error.message)
            return template
        if "{tag}" not in template or sample.digest:
            self._wrong(
                "targetTemplate",
                "must have {tag}, and may have {repository}, in it: mirror/{repository}:{tag}",
            )
        return template
