"""What a sender sends wrong is an error that names the field, and never anything else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.hooks.payload import Delivery, MalformedEventError
from importcore.hooks.senders import SENDERS
from tests.unit.hooks.hook_samples import EVERY, Sample, sample

GONE = object()
WRONG = [
    ("acr", "acr-push", ("action",), 5, "action"),
    ("acr", "acr-push", ("target", "repository"), GONE, "target.repository"),
    ("acr", "acr-push", ("target", "repository"), "Team/App", "target"),
    ("acr", "acr-push", ("target", "repository"), "team/app:1.0", "target"),
    ("acr", "acr-push", ("target", "repository"), "team/\ud800", "target.repository"),
    ("acr", "acr-push", ("target", "tag"), "-1.0", "target"),
    ("acr", "acr-push", ("target", "digest"), "sha256:80f0", "target"),
    ("acr", "acr-push", ("request", "host"), "no host", "target"),
    ("acr", "acr-push", ("request",), GONE, "target"),
    ("eventgrid", "eventgrid-push", ("0", "eventType"), GONE, "0.type"),
    ("eventgrid", "eventgrid-push", ("0", "data"), GONE, "0.data.action"),
    ("eventgrid", "eventgrid-push", ("0", "data", "target", "repository"), 7, "0.data.target.repository"),
    ("eventgrid", "eventgrid-cloudevent", ("data", "action"), GONE, "data.action"),
    ("eventgrid", "eventgrid-validation", ("0", "data", "validationCode"), GONE, "0.data.validationCode"),
    ("cloudevents", "cloudevents-structured", ("specversion",), GONE, "specversion"),
    ("cloudevents", "cloudevents-structured", ("specversion",), "0.3", "specversion"),
    ("cloudevents", "cloudevents-structured", ("type",), "", "type"),
    ("cloudevents", "cloudevents-structured", ("data", "image"), "registry.example.com/App", "data.image"),
    ("cloudevents", "cloudevents-binary", ("image",), "registry.example.com/App", "data.image"),
    ("cloudevents", "ecr-cloudevent", ("source",), "urn:aws:sns", "source"),
    ("cloudevents", "ecr-cloudevent", ("data", "repositoryName"), GONE, "data.repositoryName"),
    ("dockerhub", "dockerhub-push", ("repository", "repo_name"), GONE, "repository.repo_name"),
    ("dockerhub", "dockerhub-push", ("push_data", "tag"), GONE, "push_data.tag"),
    ("dockerhub", "dockerhub-push", ("push_data",), [], "push_data.tag"),
    ("harbor", "harbor-push", ("type",), GONE, "type"),
    ("harbor", "harbor-push", ("event_data", "resources"), GONE, "event_data.resources"),
    (
        "harbor",
        "harbor-push",
        ("event_data", "resources", "0", "resource_url"),
        1,
        "event_data.resources.0.resource_url",
    ),
    ("harbor", "harbor-push", ("event_data", "repository"), GONE, "event_data.repository.repo_full_name"),
    ("harbor", "harbor-cloudevent", ("data", "resources"), {}, "data.resources"),
    ("quay", "quay-push", ("updated_tags",), "1.0", "updated_tags"),
    ("quay", "quay-push", ("updated_tags",), [], "updated_tags"),
    ("quay", "quay-push", ("updated_tags", "0"), 1, "updated_tags"),
    ("quay", "quay-push", ("docker_url",), GONE, "docker_url"),
    ("quay", "quay-push", ("repository",), GONE, "repository"),
    ("github", "github-registry-package", ("registry_package",), GONE, "registry_package.package_type"),
    ("github", "github-registry-package", ("action",), GONE, "action"),
    ("github", "github-package", ("package", "namespace"), GONE, "package.namespace"),
    ("github", "github-package", ("package", "name"), GONE, "package.name"),
    ("github", "github-package-without-tag", ("package", "package_version", "version"), GONE, "package"),
    ("distribution", "distribution-events", ("events",), GONE, "events"),
    ("distribution", "distribution-events", ("events",), {}, "events"),
    ("gitlab", "gitlab-events", ("events",), "push", "events"),
    ("ecr", "ecr-push", ("account",), "me", "account"),
    ("ecr", "ecr-push", ("detail",), GONE, "detail.action-type"),
    ("ecr", "ecr-push", ("detail", "repository-name"), GONE, "detail.repository-name"),
    ("google", "google-push", ("message", "data"), "no base64", "message.data"),
    ("google", "google-push", ("message", "data"), "bm8ganNvbg==", "message.data"),
    ("google", "google-push-unwrapped", ("action",), GONE, "action"),
    ("google", "google-push-unwrapped", ("tag",), "europe-docker.pkg.dev", "(the body)"),
    ("jfrog", "jfrog-push", ("jpd_origin",), GONE, "data"),
    ("jfrog", "jfrog-push", ("jpd_origin",), "https://[", "jpd_origin"),
    ("jfrog", "jfrog-push", ("data", "tag"), GONE, "data.tag"),
    ("jfrog", "jfrog-push", ("data", "sha256"), "35c4", "data"),
    ("gitea", "gitea-package", ("package", "owner"), GONE, "package.owner.username"),
    ("gitea", "gitea-package", ("package", "html_url"), "https://[", "package.html_url"),
    ("gitea", "gitea-package", ("package", "html_url"), GONE, "package"),
]


def changed(value: Any, path: tuple[str, ...], to: object) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """A copy with another value at a path, or without it."""
    name: Any = int(path[0]) if isinstance(value, list) else path[0]
    copy = value.copy()
    if len(path) > 1:
        copy[name] = changed(value[name], path[1:], to)
    elif to is GONE:
        del copy[name]
    else:
        copy[name] = to
    return copy


def paths(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 (whatever JSON holds)
    """Every place in a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield (*at, str(name))
        yield from paths(inner, (*at, str(name)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"comment": "x&payload={}&"}',
        b"&payload={}",
        b"payload={}&payload={}",
        b"other=1&payload={}",
        b"payload=",
    ],
)
def test_a_form_is_one_field_alone(body: bytes) -> None:
    """No content type, which nobody signs, makes another delivery of a body that was signed as JSON."""
    with pytest.raises(MalformedEventError, match="is no JSON"):
        Delivery(body, {"content-type": "application/x-www-form-urlencoded"}).payload()


@pytest.mark.parametrize(("kind", "file", "path", "to", "named"), WRONG)
def test_a_wrong_field_is_named(kind: str, file: str, path: tuple[str, ...], to: object, named: str) -> None:
    """By its path in what was sent, or by the object whose parts do not fit together."""
    each = sample(kind, file)
    registry = Sample(each.kind, each.file, each.headers)  # without a configured registry

    with pytest.raises(MalformedEventError) as caught:
        registry.read(json.dumps(changed(each.value, path, to)).encode())

    assert f"the event is wrong in: {named} (" in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("kind", sorted(set(SENDERS) - {"github"}))
@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": 1, "a": 2}', b'{"action": NaN}', b"9" * 5_000]
)
def test_what_is_no_json_is_said_to_be_none(kind: str, body: bytes) -> None:
    """Or JSON that two readers could understand differently."""
    with pytest.raises(MalformedEventError, match="is no JSON"):
        SENDERS[kind].read(Delivery(body))


def test_more_events_than_anybody_sends_are_refused() -> None:
    """A thousand in one body are read."""
    event = sample("distribution", "distribution-events").value["events"][1]
    thousand = sample("distribution", "distribution-events").read(json.dumps({"events": [event] * 1_000}).encode())

    assert len(thousand.pushes) == 1_000
    with pytest.raises(MalformedEventError, match="a list of at most 1000"):
        sample("distribution", "distribution-events").read(json.dumps({"events": [event] * 1_001}).encode())


@pytest.mark.parametrize("each", EVERY, ids=str)
def test_no_field_of_any_kind_breaks_a_reader(each: Sample) -> None:
    """Each field in turn is gone, or null, a number, a text, a list, an object, half of a character."""
    for path in paths(each.value):
        for other in (GONE, None, -1, 1e300, True, "x", "", "\udfff", "a" * 3_000, [], [None], {}, {"a": None}):
            assert_read_or_refused(each, json.dumps(changed(each.value, path, other)).encode())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(each=st.sampled_from(EVERY), value=_JSON, path=st.data())
def test_any_json_at_any_place_is_read_or_refused(each: Sample, value: object, path: st.DataObject) -> None:
    """Whatever a stranger puts where."""
    place = path.draw(st.sampled_from([*paths(each.value)]))
    assert_read_or_refused(each, json.dumps(changed(each.value, place, value)).encode())


def assert_read_or_refused(each: Sample, body: bytes) -> None:
    """A reader answers with what it heard, in words that can be shown, or with the one error."""
    try:
        heard = each.read(body)
    except MalformedEventError as error:
        shown = [error.message]
    else:
        shown = [text for one in heard.ignored for text in (one.what, one.reason)]
        shown += [push.actor or "" for push in heard.pushes]
        assert all(push.tag or push.digest for push in heard.pushes)
    assert all(text.isprintable() for text in shown)
