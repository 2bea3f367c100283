"""GitLab: its self-managed registry is CNCF distribution and sends that one's notifications.

Source: docs.gitlab.com, "GitLab container registry administration", notifications. GitLab.com offers no webhook for
pushes into its registry.
"""

from importcore.hooks.distribution import read

__all__ = ["read"]
