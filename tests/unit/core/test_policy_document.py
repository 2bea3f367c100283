"""policy.yaml: what is understood, and that nothing misspelt is ever taken for a permission."""

import pytest

from importcore.documents.watched import TextInSetting, WatchedDocument
from importcore.documents.yaml_document import InvalidDocumentError, read_yaml
from importcore.errors import ConfigurationError
from importcore.policy.document import PolicyDocument
from importcore.policy.policies import Policies
from importcore.repository_globs import glob_problem, matches
from importcore.settings.model import CallersBy, Settings, StorageAccount

WHOLE = """
version: 1
allow:
  - from: ["docker.io", "mcr.microsoft.com/**"]
    to: ["here.azurecr.io/mirror/**"]
callers:
  - name: pipelines
    who: [function-key, "role:Transload.Import", "group:11111111-2222-3333-4444-555555555555"]
    import:
      - from: ["docker.io/library/*"]
    sees: own
    cancels: own
    limits: {bytes: 20000000000, manifests: 500, tags: 100, inFlight: 20}
  - name: auditors
    who: ["app:abc"]
    sees: all
    cancels: none
limits:
  manifests: 2000
"""


def read(text: str) -> PolicyDocument:
    """Read a policy as the app does."""
    return read_yaml(text, PolicyDocument, name="TRANSLOAD_POLICY")


def test_a_whole_policy_is_understood() -> None:
    """What it says is there; what it leaves out is the narrower choice."""
    policy = read(WHOLE)

    pipelines, auditors = policy.callers or ()
    assert policy.allow is not None
    assert pipelines.routes[0].sources == ("docker.io/library/*",)
    assert pipelines.limits.in_flight == 20
    assert (auditors.routes, auditors.sees, auditors.cancels) == ((), "all", "none")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("version: 1", "version: 2", "line 2: version"),
        ("    sees: own", "    sees: mine", "line 11: callers.0.sees"),
        ("    import:", "    imports:", "line 9: callers.0.imports: is not a key that is known here"),
        ("inFlight", "inflight", "line 13: callers.0.limits.inflight: is not a key"),
        ("[function-key,", "[functionkey,", "line 8: callers.0.who.0"),
        ("[function-key,", "[] #", "line 8: callers.0.who: "),
        ("  - name: auditors", "  - name: pipelines", "two callers have the name 'pipelines'"),
        ('"docker.io/library/*"', '"Docker.io/library/*"', "line 10: callers.0.import.0.from.0: 'Docker.io"),
        ('"docker.io/library/*"', '"docker.io/***"', "three stars"),
        ('"docker.io/library/*"', '"*/*/*/*/*/*/*/*/*"', "more than 8 wildcards"),
        ('"docker.io/library/*"', '"docker.io/*"', "named in full: docker.io/library/*"),
        ('"docker.io/library/*"', '"index.docker.io/alpine"', "named in full: docker.io/library/alpine"),
        ('"docker.io/library/*"', '"docker.io/library/alpine:3"', "no tag"),
        ('"docker.io/library/*"', '"docker.io/"', "must have a repository"),
        ('"docker.io/library/*"', '"docker.io//alpine"', "must have a repository"),
        ('"docker.io/library/*"', '"https://docker.io/library/*"', "is not a registry address"),
        ('"docker.io/library/*"', '"alpine"', "is not a registry address"),
        ('"docker.io/library/*"', '"**.azurecr.io/app"', "one * is enough"),
        ("bytes: 20000000000", "bytes: 0", "callers.0.limits.bytes"),
        ("bytes: 20000000000", "bytes: 10 GB", "callers.0.limits.bytes"),
    ],
)
def test_a_mistake_is_named_by_its_line_and_opens_nothing(old: str, new: str, problem: str) -> None:
    """A misspelt restriction would be none, so it is an error."""
    assert old in WHOLE

    with pytest.raises(InvalidDocumentError) as caught:
        read(WHOLE.replace(old, new))

    assert problem in caught.value.message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("index.docker.io/library/*", "docker.io/library/*"),
        ("quay.io:443/**", "quay.io/**"),
        ("quay.io:05000", "quay.io:5000"),
        ("*.azurecr.io", "*.azurecr.io"),
        ("**/app", "**/app"),
    ],
)
def test_a_registry_is_meant_under_each_of_its_names(written: str, meant: str) -> None:
    """A signature that is demanded of one spelling is demanded of all; references have one spelling alone."""
    (route,) = read(f'{{version: 1, allow: [{{from: ["{written}"]}}]}}').allow or ()

    assert route.sources == (meant,)


async def test_a_wrong_policy_lets_nobody_in() -> None:
    """Not even as far as the policy before it would have."""
    document = WatchedDocument(TextInSetting("version: 1\ncallers: everybody"), read)
    policies = Policies(Settings(StorageAccount("x"), ()), document)

    with pytest.raises(InvalidDocumentError, match="line 2"):
        await policies.door()


async def test_entra_callers_need_a_policy_that_names_some() -> None:
    """Whoever can get a token for the app is not yet somebody who may import."""
    document = WatchedDocument(TextInSetting("version: 1"), read)
    entra = Settings(StorageAccount("x"), (), callers_by=CallersBy.ENTRA, platform_signs_in=True)

    with pytest.raises(ConfigurationError, match="nobody is let in"):
        await Policies(entra, document).door()


@pytest.mark.parametrize(
    ("pattern", "registry", "repository", "is_match"),
    [
        ("docker.io/library/*", "docker.io", "library/alpine", True),
        ("docker.io/library/*", "docker.io", "library/alpine/deep", False),
        ("docker.io/library/*", "docker.io", "library-evil/alpine", False),
        ("docker.io/**", "docker.io", "a/b/c", True),
        ("docker.io", "docker.io", "a/b/c", True),
        ("docker.io", "docker.io.evil.example", "a", False),
        ("docker.io", "xdocker.io", "a", False),
        ("*.azurecr.io/**", "mine.azurecr.io", "a/b", True),
        ("*.azurecr.io/**", "evil.example", "x.azurecr.io/b", False),
        ("**.azurecr.io/**", "evil.example", "x.azurecr.io/b", True),
        ("localhost:5000/a?", "localhost:5000", "ab", True),
        ("localhost:5000/a?", "localhost:5000", "a/", False),
        ("[::1]:5000/**", "[::1]:5000", "ab", True),
        ("a.example/x+y", "a.example", "xxy", False),
        ("a.example/a.b", "a.example", "aXb", False),
        ("**", "any.example", "thing/at/all", True),
    ],
)
def test_a_star_stays_within_a_part_of_the_name(pattern: str, registry: str, repository: str, is_match: bool) -> None:  # noqa: FBT001 (a column)
    """Two stars go anywhere; everything else is taken as it is written, to its end."""
    assert matches(pattern, registry, repository) is is_match


@pytest.mark.parametrize("pattern", ["", "UPPER/**", "a b", "x" * 600, "a/***", "ü.example/**", "*" * 9 + "/a"])
def test_what_is_no_pattern_is_said(pattern: str) -> None:
    """An empty one, capitals, spaces, letters that are none, endless ones."""
    assert glob_problem(pattern)
