"""What each sender's delivery says: which pushes, and what is left alone for which reason."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from importcore.hooks.push_event import PushEvent, PushKind
from tests.unit.hooks.hook_samples import (
    ACR_DIGEST,
    EVERY,
    FOLDER,
    GITHUB_DIGEST,
    NO_PUSHES,
    PUSHES,
    VALIDATION,
    Sample,
    sample,
)

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
CHART = "myregistry.azurecr.io/charts:wordpress-5.4.0.tgz"
SAID = {
    "acr:acr-push": ["myregistry.azurecr.io/team/app:1.0"],
    "acr:acr-chart-push": [CHART],
    "eventgrid:eventgrid-push": ["myregistry.azurecr.io/team/app:1.0"],
    "eventgrid:eventgrid-batch": ["myregistry.azurecr.io/team/app:1.0", CHART],
    "eventgrid:eventgrid-cloudevent": ["myregistry.azurecr.io/team/app:1.0"],
    "cloudevents:eventgrid-cloudevent": ["myregistry.azurecr.io/team/app:1.0"],
    "cloudevents:cloudevents-structured": ["registry.example.com/team/app:1.0"],
    "cloudevents:cloudevents-binary": ["registry.example.com/team/app:1.0"],
    "cloudevents:harbor-cloudevent": ["hub.example.com/team/app:1.0"],
    "cloudevents:ecr-cloudevent": ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.0"],
    "dockerhub:dockerhub-push": ["docker.io/acme/app:1.0"],
    "harbor:harbor-push": ["hub.example.com/team/app:1.0"],
    "harbor:harbor-push-by-digest": [f"hub.example.com/team/app@{ACR_DIGEST}"],
    "harbor:harbor-cloudevent": ["hub.example.com/team/app:1.0"],
    "quay:quay-push": ["quay.io/acme/app:1.0", "quay.io/acme/app:latest"],
    "quay:quay-push-of-old": ["quay.example.com/acme/app:1.0"],
    "github:github-registry-package": ["ghcr.io/acme/app:1.0"],
    "github:github-package": ["ghcr.io/acme/app:1.0"],
    "github:github-package-without-tag": [f"ghcr.io/acme/app@{GITHUB_DIGEST}"],
    "gitlab:gitlab-events": ["registry.gitlab.example.com/team/app:1.0"],
    "distribution:distribution-events": ["reg.example.com/team/app:1.0"],
    "ecr:ecr-push": ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.0"],
    "google:google-push": ["europe-docker.pkg.dev/p/r/app:1.0"],
    "google:google-push-unwrapped": ["europe-docker.pkg.dev/p/r/app:1.0"],
    "jfrog:jfrog-push": ["acme.jfrog.io/docker-local/team/app:1.0"],
    "gitea:gitea-package": ["git.example.com/acme/app:1.0"],
}
WITHOUT_A_DIGEST = {"dockerhub", "quay", "gitea"}
WITHOUT_A_TIME = {"quay:quay-push", "quay:quay-push-of-old", "google:google-push-unwrapped", "jfrog:jfrog-push"}


def test_every_sample_is_read_by_a_test() -> None:
    """A sample that nobody reads would say nothing about the parsers."""
    assert {each.file for each in EVERY} == {path.stem for path in FOLDER.iterdir()}


@pytest.mark.parametrize("each", PUSHES, ids=str)
def test_a_push_is_heard(each: Sample) -> None:
    """By the registry, the repository and the tag that the sender means, or the digest where it names no tag."""
    pushes = each.read().pushes

    assert [str(push.source) for push in pushes] == SAID[str(each)]
    for push in pushes:
        assert (push.digest is None) == (each.kind in WITHOUT_A_DIGEST)
        assert (push.at is None) == (str(each) in WITHOUT_A_TIME)
        chart = push.repository == "charts"
        assert push.kind is (PushKind.CHART if chart else PushKind.IMAGE)


def test_all_that_acr_says_is_kept() -> None:
    """Its time has seven digits behind the point, of which six are kept."""
    assert sample("acr", "acr-push").read().pushes == (
        PushEvent(
            "myregistry.azurecr.io",
            "team/app",
            "1.0",
            ACR_DIGEST,
            datetime(2026, 3, 1, 10, 0, 0, 123456, UTC),
            None,
            "cb8c3971-9adc-488b-bdd8-43cbb4974ff5",
        ),
    )


def test_event_grid_tells_of_the_same_push_as_the_webhook() -> None:
    """Whoever configures both has one import for each push."""
    by_webhook, by_event_grid, by_cloud_event = (
        sample(kind, file).read().pushes[0].identity
        for kind, file in (
            ("acr", "acr-push"),
            ("eventgrid", "eventgrid-push"),
            ("cloudevents", "eventgrid-cloudevent"),
        )
    )

    assert by_webhook is not None
    assert by_webhook == by_event_grid == by_cloud_event


def test_the_actor_and_the_moment_are_kept_where_a_sender_names_them() -> None:
    """In UTC, whether they came as text with an offset or as seconds."""
    hub = sample("dockerhub", "dockerhub-push").read().pushes[0]
    cloud = sample("cloudevents", "cloudevents-structured").read().pushes[0]

    assert (hub.at, hub.actor) == (TEN, "bob")
    assert (cloud.at, cloud.actor) == (TEN.replace(hour=9), "ci")
    assert sample("cloudevents", "cloudevents-binary").read().pushes[0] == cloud
    assert sample("github", "github-package").read().pushes[0].actor == "bob"


def test_docker_hub_says_where_it_wants_to_be_told() -> None:
    """The URL goes on as it came; the origin gate decides about it."""
    assert sample("dockerhub", "dockerhub-push").read().callback_url == (
        "https://registry.hub.docker.com/u/acme/app/hook/2141b5bi5i5b02bec211i4eeih0242eg11000a/"
    )


@pytest.mark.parametrize(
    ("each", "what", "reason"),
    [
        *zip(
            NO_PUSHES,
            ["ping", "delete team/app", "quarantine team/app", "PULL_ARTIFACT", "ping"],
            ["a test of the connection", "nothing is deleted", "may not be pulled yet", "is no push", "a test"],
            strict=True,
        )
    ],
    ids=str,
)
def test_what_is_no_push_is_left_alone_with_its_reason(each: Sample, what: str, reason: str) -> None:
    """Nothing follows from it, and the answer can say why."""
    heard = each.read()

    assert heard.pushes == ()
    assert [one.what for one in heard.ignored] == [what]
    assert reason in heard.ignored[0].reason


def test_a_batch_says_of_each_event_what_became_of_it() -> None:
    """Layers, pulls and mounts of distribution; a delete of Event Grid."""
    distribution = sample("distribution", "distribution-events").read()
    event_grid = sample("eventgrid", "eventgrid-batch").read()

    assert [one.what for one in distribution.ignored] == ["push team/app", "pull team/app", "mount team/app"]
    assert "application/octet-stream is no manifest" in distribution.ignored[0].reason
    assert [one.what for one in event_grid.ignored] == ["Microsoft.ContainerRegistry.ImageDeleted"]


def test_event_grid_is_given_its_code() -> None:
    """And nothing is heard."""
    heard = VALIDATION.read()

    assert heard.validation_code == "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"
    assert (heard.pushes, heard.ignored) == ((), ())


def test_a_form_holds_what_github_would_send_as_json() -> None:
    """The other content type that its settings page offers."""
    each = sample("github", "github-registry-package")
    form = urlencode({"payload": each.body.decode()}).encode()
    as_form = Sample(each.kind, each.file, {**each.headers, "content-type": "application/x-www-form-urlencoded"})

    assert as_form.read(form) == each.read()


@pytest.mark.parametrize("each", [p for p in PUSHES if p.kind != "dockerhub"], ids=str)
def test_the_registry_that_is_configured_counts_before_what_the_sender_says(each: Sample) -> None:
    """A sender may know its registry by a name of its own network."""
    pinned = Sample(each.kind, each.file, each.headers, "registry.example")

    assert {push.registry for push in pinned.read().pushes} == {"registry.example"}


def test_a_chart_needs_the_name_of_its_registry() -> None:
    """The webhook for charts of Helm 2 does not say it."""
    with pytest.raises(Exception, match="set `registry` for this hook"):
        Sample("acr", "acr-chart-push").read()


@pytest.mark.parametrize(
    ("kind", "file", "path"),
    [("distribution", "distribution-events", "events"), ("eventgrid", "eventgrid-batch", None)],
)
def test_one_broken_event_leaves_the_rest_of_its_batch(kind: str, file: str, path: str | None) -> None:
    """It is named where it stood; a refusal would lose the others, or bring them for ever."""
    each = sample(kind, file)
    value = each.value
    (value[path] if path else value).insert(0, {"action": "push", "eventType": "ImagePushed"})
    heard, whole = each.read(json.dumps(value).encode()), each.read()

    assert heard.pushes == whole.pushes
    assert len(heard.ignored) == len(whole.ignored) + 1
    assert "must be a text" in heard.ignored[0].reason


def test_a_batch_of_cloud_events_is_read_one_by_one() -> None:
    """One of the three has no type."""
    each = sample("cloudevents", "cloudevents-structured")
    nameless = {key: value for key, value in each.value.items() if key != "type"}
    heard = each.read(json.dumps([each.value, nameless, sample("cloudevents", "ecr-cloudevent").value]).encode())

    assert [push.tag for push in heard.pushes] == ["1.0", "1.0"]
    assert [one.what for one in heard.ignored] == ["1"]
