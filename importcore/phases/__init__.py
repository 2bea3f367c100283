"""The three phases of an import, which never import each other; `importer.py` alone knows their order.

plan.py                                                what there is to bring; the phases work by it
planning.py (manifest_reader, platforms, referrers)    1: resolve the tag once, walk the manifests
transfer.py (blob_copy, attempts)                      2: bring the blobs, each as far as it is not there
commit.py (attach)                                     3: put the manifests, then the tags
verify.py                                              afterwards, where asked for
"""
