"""``python -m neurdsp``: the command-line interface."""

from neurdsp.cli import main

main()
