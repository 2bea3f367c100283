"""The main job on one machine, shown and proved: `python -m devtools demo`.

watch.py     the progress bar, and the kill in the middle
push.py      a push that starts an import by the registry's webhook
proof.py     source and target equal, digest by digest
run.py       the order of it all
"""

import argparse
from collections.abc import Sequence

from devtools.demo.run import run_demo


def main(arguments: Sequence[str]) -> int:
    """Run the command; its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools demo", description="Import an image, and watch it survive"
    )
    parser.add_argument(
        "--source", help="an image to import instead of the sample, such as docker.io/library/alpine:3.20"
    )
    parser.add_argument("--target", help="where to, in a real registry, signed in as you (az login)")
    options = parser.parse_args(arguments)
    return run_demo(options.source or None, options.target or None)
