"""The webhook of Gitea and Forgejo for packages.

Source: go-gitea/gitea, modules/structs/hook_package.go. Signed: `X-Gitea-Signature`, and `X-Hub-Signature-256` as
GitHub's.
"""

from urllib.parse import urlsplit

from importcore.errors import printable
from importcore.hooks.payload import Delivery, MalformedEventError, push
from importcore.hooks.push_event import Heard, Ignored, heard


def read(delivery: Delivery) -> Heard:
    """Read one delivery: a created version of a container package; a version that is a digest has no tag."""
    body = delivery.payload()
    action, package = body.text("action"), body.get("package")
    kind = package.text("type")
    if (action, kind) != ("created", "container"):
        return heard(Ignored(printable(f"{action} {kind}", 80), "is no push of an image"))
    try:
        host = urlsplit(package.maybe("html_url") or "").netloc
    except ValueError:
        raise MalformedEventError("package.html_url", "must be a URL") from None
    return heard(
        push(
            package,
            delivery.registry or host or None,
            f"{package.text('owner', 'username')}/{package.text('name')}".lower(),
            package.text("version"),
            at=package.moment("created_at"),
            actor=body.maybe("sender", "login"),
            delivery=delivery.headers.get("x-gitea-delivery"),
        )
    )
