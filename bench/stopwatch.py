"""Runs one command and writes down what it cost; a program of its own, started by `measurement.py`.

It imports next to nothing on purpose: Linux starts a child's peak memory at that of the process which started it, so
whoever measures a small program must be smaller still.

Usage: stopwatch.py REPORT COMMAND...
"""

import os
import sys
import time


def main() -> int:
    """Run the command; the report holds wall seconds, user and system seconds, peak KiB (children included)."""
    report, *command = sys.argv[1:]
    begin = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - begin
    with open(report, "w", encoding="ascii") as file:  # noqa: PTH123 (pathlib would be the largest part of this process)
        file.write(f"{wall} {usage.ru_utime} {usage.ru_stime} {usage.ru_maxrss}")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
