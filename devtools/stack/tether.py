"""Ties a process to its parent, so that nothing is left behind even when the parent is killed."""

import shutil
from collections.abc import Sequence


def tethered(command: Sequence[str]) -> list[str]:
    """Make a command be killed when the process that started it ends, however that ends.

    On Linux by PR_SET_PDEATHSIG, set by util-linux' `setpriv`, which then becomes the command: the process id is the
    command's. Elsewhere the command is given back as it is, and an orderly end is all there is.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if setpriv else list(command)
