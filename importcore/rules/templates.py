"""Where a target stands: `registry/repository:tag` with the event's own values in it.

They are `{registry}`, `{repository}`, `{name}` (the last part of the repository) and `{tag}`. Everything else
in braces is a mistake, named when the document is read.
"""

import re
from difflib import get_close_matches

from importcore.hooks.push_event import PushEvent
from importcore.reference import Reference

PLACES = ("registry", "repository", "name", "tag")
_PLACE = re.compile(r"\{([^{}]*)\}")
_SAMPLE = PushEvent("registry.example", "team/app", "1.0")


def template_problem(template: str, allowed: tuple[str, ...]) -> str | None:
    """Say what is wrong with a template; None where nothing is.

    Args:
        template: As the rule has it.
        allowed: The registries that imports may write to.
    """
    for place in _PLACE.findall(template):
        if place not in PLACES:
            like = get_close_matches(place, PLACES, n=1)
            hint = f"did you mean {{{like[0]}}}?" if like else "there are " + " ".join(f"{{{p}}}" for p in PLACES)
            return f"{{{place[:40]}}} stands for nothing; {hint}"
    registry, slash, _ = template.partition("/")
    if "{" in registry or not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        return "must begin with the registry: myregistry.azurecr.io/{repository}:{tag}"
    sample = filled_in(template, _SAMPLE)  # raises where no reference can come of it
    if sample.digest:
        return "has a digest; a target has a tag, its digest is the source's"
    if sample.tag is None:
        return "has no tag; write for example :{tag} behind it"
    if sample.registry not in allowed:
        return f"{sample.registry} is not in TRANSLOAD_TARGET_REGISTRIES (allowed: {', '.join(allowed) or 'none'})"
    return None


def filled_in(template: str, event: PushEvent) -> Reference:
    """Give the target for an event.

    Raises:
        InvalidReferenceError: No reference comes of it: a name that is too long, or with two tags.
    """
    values = {
        "registry": event.registry.replace(":", "-"),  # a repository has no colon
        "repository": event.repository,
        "name": event.repository.rpartition("/")[2],
        "tag": event.tag or "",
    }
    return Reference.parse(_PLACE.sub(lambda found: values[found[1]], template))
