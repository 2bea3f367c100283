"""GitHub's webhook for packages (ghcr.io): `registry_package`, and `package` with the same inner form.

Source: docs.github.com, "Webhook events and payloads"; octokit/webhooks, payload examples. Signed:
`X-Hub-Signature-256` over the raw body.
"""

from importcore.errors import printable
from importcore.hooks.payload import Delivery, push
from importcore.hooks.push_event import Heard, Ignored, heard

_EVENTS = frozenset({"registry_package", "package"})
_ACTIONS = frozenset({"published", "updated"})
_CONTAINERS = frozenset({"container", "docker"})


def read(delivery: Delivery) -> Heard:
    """Read one delivery: a published version of a container package."""
    event = delivery.headers.get("x-github-event", "")
    if event == "ping":
        return heard(Ignored("ping", "a test of the connection"))
    if event not in _EVENTS:
        return heard(Ignored(printable(event, 60) or "an event without X-GitHub-Event", "is no event of a package"))
    body = delivery.payload()
    package = body.get(event)
    kind = package.text("package_type").lower()
    if kind not in _CONTAINERS:
        return heard(Ignored(f"a package of type {printable(kind, 40)}", "is no container image"))
    action = body.text("action")
    if action not in _ACTIONS:
        return heard(Ignored(printable(action, 40), "is no push"))
    version = package.get("package_version")
    container = version.get("container_metadata", "tag")
    host = (version.maybe("package_url") or "").partition("/")[0]
    # a part of an index is pushed by digest: its tag is empty, and its name is the digest
    return heard(
        push(
            package,
            delivery.registry or host or "ghcr.io",
            f"{package.text('namespace')}/{package.text('name')}".lower(),
            container.maybe("name"),
            container.maybe("digest") or version.maybe("version"),
            at=version.moment("updated_at"),
            actor=body.maybe("sender", "login"),
            delivery=delivery.headers.get("x-github-delivery"),
        )
    )
