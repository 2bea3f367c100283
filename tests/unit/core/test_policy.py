"""The policy door: who may import what, from where, to where, how much; and who may see and cancel it."""

from typing import Any

import pytest

from devtools.cosign_signatures import SigningKey
from importcore.caller import Asker, Caller
from importcore.errors import PolicyError
from importcore.policy.document import PolicyDocument
from importcore.policy.door import LimitExceededError, PolicyDoor
from importcore.reference import Reference, normal_registry
from importcore.repository_globs import matches_within
from importcore.request.model import ImportRequest
from importcore.request.selection import Selection
from importcore.request.tag_choice import TagChoice
from importcore.settings.model import Settings, StorageAccount

HERE = "here.azurecr.io"
KEY = Caller.by_key()
POLICY: dict[str, Any] = {
    "version": 1,
    "allow": [{"from": ["docker.io", "quay.io/**"], "to": [f"{HERE}/**"]}],
    "callers": [
        {
            "name": "pipelines",
            "who": ["function-key", "role:Importer"],
            "import": [{"from": ["docker.io/library/*"], "to": [f"{HERE}/mirror/**"]}],
            "limits": {"tags": 3},
        },
        {"name": "auditors", "who": ["group:a-group"], "sees": "all", "cancels": "none"},
        {"name": "operators", "who": ["role:Operator"], "sees": "all", "cancels": "all", "limits": {"bytes": 10}},
        {"name": "hooks", "who": ["hook:*"], "import": [{"from": ["quay.io/team/**"]}], "limits": {"tags": 9}},
    ],
    "limits": {"tags": 5, "manifests": 7},
}


def door(
    policy: dict[str, Any] | None = None, *, default: str | None = HERE, listed: tuple[str, ...] = (), sources: str = ""
) -> PolicyDoor:
    """A door of an installation that serves these registries."""
    return PolicyDoor(
        Settings(
            storage=StorageAccount(connection_string="x"),
            sealing_keys=(),
            default_target_registry=default,
            target_registries=listed,
            source_registries=tuple(sources.split()),
        ),
        PolicyDocument.model_validate(policy or {"version": 1}),
    )


def request(source: str, *targets: str) -> ImportRequest:
    """A request for these targets."""
    return ImportRequest(Reference.parse(source), tuple(map(Reference.parse, targets)))


def allowed(by: PolicyDoor, wanted: ImportRequest, caller: Caller = KEY) -> bool:
    """Whether the door lets a request through."""
    try:
        by.require_request(by.admit(caller), wanted)
    except PolicyError:
        return False
    return True


@pytest.mark.parametrize(
    ("by", "target", "is_allowed"),
    [
        (door(default=HERE), f"{HERE}/a:1", True),
        (door(listed=(HERE, "there.azurecr.io")), "there.azurecr.io/a:1", True),
        (door(default=HERE), "there.azurecr.io/a:1", False),
        (door(default=HERE, listed=("there.azurecr.io",)), f"{HERE}/a:1", False),
        (door(default=None), f"{HERE}/a:1", False),
    ],
)
def test_only_a_served_registry_is_a_target(by: PolicyDoor, target: str, is_allowed: bool) -> None:  # noqa: FBT001 (a column)
    """The default one, or one that is listed; without either, none."""
    assert allowed(by, request("alpine", target)) is is_allowed


def test_a_registry_that_is_not_served_is_refused_with_the_setting_that_decides() -> None:
    """One of several is enough, and the message says which."""
    by = door()

    with pytest.raises(PolicyError, match=r"there\.azurecr\.io") as caught:
        by.require_request(by.admit(KEY), request("alpine", f"{HERE}/a:1", "there.azurecr.io/a:1"))

    assert "TRANSLOAD_TARGET_REGISTRIES" in caught.value.action
    assert caught.value.reference == "there.azurecr.io/a:1"


def test_source_registries_can_be_listed() -> None:
    """By default any; once some are listed, those alone."""
    assert allowed(door(), request("quay.io/a/b", f"{HERE}/a:1"))
    assert allowed(door(sources="docker.io"), request("alpine", f"{HERE}/a:1"))
    assert not allowed(door(sources="docker.io"), request("quay.io/a/b", f"{HERE}/a:1"))


@pytest.mark.parametrize(
    ("caller", "source", "target", "is_allowed"),
    [
        (KEY, "alpine:3", "mirror/alpine:3", True),
        (KEY, "alpine:3", "mirror/deep/er/alpine:3", True),
        (KEY, "alpine:3", "elsewhere/alpine:3", False),
        (KEY, "alpine:3", "mirrored/alpine:3", False),
        (KEY, "docker.io/somebody/alpine:3", "mirror/alpine:3", False),
        (KEY, "quay.io/library/alpine:3", "mirror/alpine:3", False),
        (Caller("entra:1", frozenset({"object:1", "role:Importer"})), "alpine:3", "mirror/alpine:3", True),
        (Caller("entra:1", frozenset({"object:1", "group:a-group"})), "alpine:3", "mirror/alpine:3", False),
        (Caller("entra:1", frozenset({"object:1", "group:Importer"})), "alpine:3", "mirror/alpine:3", False),
        (Caller.by_hook("quay"), "quay.io/team/a:1", "anywhere/a:1", True),
        (Caller.by_hook("quay"), "quay.io/other/a:1", "anywhere/a:1", False),
        (Caller.by_rule("nightly"), "alpine:3", "mirror/alpine:3", False),
    ],
)
def test_each_caller_has_its_own_routes(caller: Caller, source: str, target: str, is_allowed: bool) -> None:  # noqa: FBT001 (a column)
    """From the sources of a route to its targets; entries of others help nobody."""
    assert allowed(door(POLICY), request(source, f"{HERE}/{target}"), caller) is is_allowed


def test_what_no_route_of_the_installation_allows_is_refused_for_everybody() -> None:
    """`allow` stands above every caller's own routes."""
    policy = {**POLICY, "callers": [{"name": "all", "who": ["function-key"], "import": [{"from": ["**"]}]}]}

    assert allowed(door(policy), request("quay.io/a/b:1", f"{HERE}/a:1"))
    assert not allowed(door(policy), request("ghcr.io/a/b:1", f"{HERE}/a:1"))


def test_a_caller_in_no_entry_is_told_by_what_it_could_be_named() -> None:
    """403, not 401: it is known, and that is all."""
    with pytest.raises(PolicyError, match="may do nothing here") as caught:
        door(POLICY).admit(Caller("entra:7", frozenset({"object:7", "app:x"})))

    assert "app:x, object:7" in caught.value.action


def test_a_caller_that_may_only_look_imports_nothing() -> None:
    """And is told so before anything is done for it."""
    by = door(POLICY)

    with pytest.raises(PolicyError, match="import nothing") as caught:
        by.require_may_import(by.admit(Caller("entra:1", frozenset({"group:a-group"}))))

    assert "`import`" in caught.value.action


def test_a_selection_needs_a_route_for_each_repository_that_it_names() -> None:
    """Globs over the catalog are asked about one by one when they are known."""
    by, tags = door(POLICY), TagChoice()

    def of(*repositories: str) -> ImportRequest:
        template = "mirror/{repository}:{tag}"
        return ImportRequest(None, (), Selection("docker.io", repositories, tags, HERE, template))

    assert allowed(by, of("library/alpine", "library/*"))
    assert not allowed(by, of("library/alpine", "somebody/else"))


@pytest.mark.parametrize("spelling", ["quay.io", "quay.io:443", "QUAY.io:0443", "https://quay.io"])
def test_a_signature_is_demanded_under_every_spelling_of_a_registry(spelling: str) -> None:
    """Else a caller whose routes are wide leaves the demand behind by writing the port that is meant anyway."""
    rule = {"from": ["quay.io/**"], "keys": [SigningKey.new().public]}
    source = Reference.in_registry(normal_registry(spelling), "team/app:1")
    target = Reference.parse(f"{HERE}/app:1")

    assert len(door({"version": 1, "signatures": [rule]}).signatures_for(source, (target,))) == 1


def test_callers_see_and_cancel_what_they_may() -> None:
    """Their own by default; an auditor sees all and cancels none, an operator does both."""
    by = door(POLICY)
    mine = by.admit(Caller("entra:1", frozenset({"role:Importer"})))
    auditor = by.admit(Caller("entra:2", frozenset({"group:a-group"})))
    operator = by.admit(Caller("entra:3", frozenset({"role:Operator"})))

    assert [by.may_see(one, mine) for one in (mine, auditor, operator)] == [True, True, True]
    assert [by.may_see(mine, other) for other in (auditor, None)] == [False, False]
    by.require_may_cancel(mine, mine)
    by.require_may_cancel(operator, mine)
    for asker, owner in ((auditor, mine), (auditor, auditor), (mine, operator)):
        with pytest.raises(PolicyError, match="may not cancel"):
            by.require_may_cancel(asker, owner)


def test_limits_are_the_widest_of_the_callers_entries_within_everybodys() -> None:
    """Being in two entries never allows less than being in one of them."""
    by = door(POLICY)
    both = by.admit(Caller("entra:1", frozenset({"role:Importer", "role:Operator"})))

    assert by.limits_of(by.admit(KEY)).tags == 3
    assert by.limits_of(by.admit(Caller.by_hook("x"))).tags == 5
    assert (by.limits_of(both).tags, by.limits_of(both).bytes, by.limits_of(both).manifests) == (5, None, 7)


def test_more_than_a_limit_is_refused_with_both_numbers() -> None:
    """Tags, manifests and bytes; as many as the limit are well."""
    by = door(POLICY)
    operator, key = by.admit(Caller("entra:3", frozenset({"role:Operator"}))), by.admit(KEY)

    by.require_tags(key, 3)
    by.require_size(operator, manifests=7, size=10)
    with pytest.raises(LimitExceededError, match="4 tags, at most 3"):
        by.require_tags(key, 4)
    with pytest.raises(LimitExceededError, match="8 manifests, at most 7"):
        by.require_size(operator, manifests=8, size=1)
    with pytest.raises(LimitExceededError, match="11 bytes, at most 10"):
        by.require_size(operator, manifests=1, size=11)


def test_what_was_taken_away_meanwhile_is_refused_when_the_import_runs() -> None:
    """The record keeps as whom the caller was admitted, not what that allowed."""
    before = door(POLICY).admit(KEY)
    renamed = {**POLICY, "callers": [{**POLICY["callers"][0], "name": "others"}]}
    source, target = Reference.parse("alpine:3"), Reference.parse(f"{HERE}/mirror/alpine:3")

    door(POLICY).require_route(before, source, target)
    for asker in (before, Asker("function-key"), None):
        with pytest.raises(PolicyError, match="may not import from"):
            door(renamed).require_route(asker, source, target)


def test_a_catalog_is_asked_for_those_alone_who_may_read_something_of_it() -> None:
    """A glob names nothing, so that the registry decides before anybody is asked."""
    by, tags = door(POLICY), TagChoice()

    def of(registry: str) -> ImportRequest:
        return ImportRequest(None, (), Selection(registry, ("*",), tags, HERE, "mirror/{repository}:{tag}"))

    assert allowed(by, of("docker.io"))
    assert not allowed(by, of("quay.io"))
    assert allowed(by, of("quay.io"), Caller.by_hook("quay"))
    assert not allowed(by, of("ghcr.io"), Caller.by_hook("quay"))


@pytest.mark.parametrize(
    ("pattern", "registry", "can_be"),
    [
        ("docker.io", "docker.io", True),
        ("docker.io/library/*", "docker.io", True),
        ("docker.io/library/*", "docker.io.example", False),
        ("*.example/team", "a.example", True),
        ("*.example/team", "example", False),
        ("*.example", "a.example", True),
        ("**", "a.example", True),
        ("**/app", "a.example", True),
    ],
)
def test_a_pattern_can_be_about_a_registry(pattern: str, registry: str, can_be: bool) -> None:  # noqa: FBT001 (a column)
    """Whether anything in it can match, whatever its repositories are called."""
    assert matches_within(pattern, registry) is can_be


def test_what_a_glob_chose_beyond_the_routes_is_refused_without_its_name() -> None:
    """Else a glob would tell what a registry has to whoever may not read there."""
    by = door(POLICY)
    hook = by.admit(Caller.by_hook("quay"))
    by.require_sources(hook, "quay.io", ["team/a", "team/b/c"])

    with pytest.raises(PolicyError) as caught:
        by.require_sources(hook, "quay.io", ["team/a", "hidden/b"])

    assert "hidden" not in caught.value.message + caught.value.action + str(caught.value.reference)
