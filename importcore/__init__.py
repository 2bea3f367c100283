"""The product: everything between a request for an import and an image that stands in the target registry.

Read `importer.py` first: it tells the whole path on one screen. `docs/design.md` says how the rooms lie.
"""
