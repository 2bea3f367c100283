"""Amazon ECR, as EventBridge sends it through an API destination, and as a CloudEvent that an input transformer made.

Source: AWS, "Amazon ECR events and EventBridge". The header of the EventBridge connection is the secret.
"""

from importcore.errors import printable
from importcore.hooks.payload import Delivery, MalformedEventError, Payload, push
from importcore.hooks.push_event import Heard, Ignored, heard


def read(delivery: Delivery) -> Heard:
    """Read one delivery: one event, bare."""
    event = delivery.payload()
    detail = event.get("detail")
    if event.text("source") != "aws.ecr" or event.text("detail-type") != "ECR Image Action":
        return heard(Ignored(printable(event.text("detail-type"), 80), "is no image action of ECR"))
    action, result = detail.text("action-type"), detail.text("result")
    if (action, result) != ("PUSH", "SUCCESS"):
        return heard(Ignored(printable(f"{action} {result}", 60), "is no successful push"))
    return heard(
        push(
            detail,
            delivery.registry or registry_of(event, event.text("account"), event.text("region")),
            detail.text("repository-name"),
            detail.maybe("image-tag"),
            detail.maybe("image-digest"),
            at=event.moment("time"),
            delivery=event.maybe("id"),
        )
    )


def read_cloud_event(event: Payload, registry: str | None) -> Heard:
    """Read `com.amazon.ecr.image.push`, whose source is `urn:aws:ecr:{region}:{account}:repository/{name}`."""
    parts = event.text("source").split(":")
    data = event.get("data")
    if len(parts) < 5 or parts[:3] != ["urn", "aws", "ecr"]:  # noqa: PLR2004 (as above)
        raise MalformedEventError("source", "must be urn:aws:ecr:{region}:{account}:…")
    return heard(
        push(
            data,
            registry or registry_of(event, parts[4], parts[3]),
            data.text("repositoryName"),
            data.maybe("imageTag"),
            data.maybe("imageDigest"),
            at=event.moment("time"),
            delivery=event.maybe("id"),
        )
    )


def registry_of(event: Payload, account: str, region: str) -> str:
    """Name the registry of an account in a region."""
    if not account.isdigit() or not account.isascii():
        raise MalformedEventError(event.path or "account", "must be the number of an account")
    return f"{account}.dkr.ecr.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
