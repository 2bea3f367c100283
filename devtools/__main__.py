"""`python -m devtools COMMAND`: the developer's commands."""

import importlib
import sys

_COMMANDS = {
    "up": ("devtools.stack.up", "start the local stack and keep it running"),
    "demo": ("devtools.demo", "import an image on the local stack, and watch it survive"),
}


def main() -> int:
    """Run a command; its exit status."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in _COMMANDS:
        listing = "\n".join(f"  {command:6} {text}" for command, (_, text) in _COMMANDS.items())
        print(f"usage: python -m devtools COMMAND [options]\n\n{listing}", file=sys.stderr)
        return 2
    # only the command that runs is imported: `up` needs none of what `demo` draws with
    status: int = importlib.import_module(_COMMANDS[name][0]).main(sys.argv[2:])
    return status


if __name__ == "__main__":
    sys.exit(main())
