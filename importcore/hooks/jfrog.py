"""JFrog Artifactory's webhook of the domain `docker`.

Source: jfrog.com, "Webhooks", domain docker. `X-JFrog-Event-Auth` holds the secret, or, with "use secret for payload
signing", the HMAC-SHA256 of the raw body in hexadecimal. `sha256` is the hash of the manifest file, so the image's
digest.
"""

from urllib.parse import urlsplit

from importcore.errors import printable
from importcore.hooks.payload import Delivery, MalformedEventError, push
from importcore.hooks.push_event import Heard, Ignored, heard


def read(delivery: Delivery) -> Heard:
    """Read one delivery; images are named `{host}/{repository key}/{image}:{tag}` (repository path routing)."""
    body = delivery.payload()
    domain, kind = body.text("domain"), body.text("event_type")
    if (domain, kind) != ("docker", "pushed"):
        return heard(Ignored(printable(f"{domain} {kind}", 80), "is no push of an image"))
    data = body.get("data")
    try:
        host = urlsplit(body.maybe("jpd_origin") or "").netloc
    except ValueError:
        raise MalformedEventError("jpd_origin", "must be a URL") from None
    checksum = data.maybe("sha256")
    return heard(
        push(
            data,
            delivery.registry or host or None,
            f"{data.text('repo_key')}/{data.text('image_name')}",
            data.text("tag"),
            f"sha256:{checksum}" if checksum else None,
        )
    )
