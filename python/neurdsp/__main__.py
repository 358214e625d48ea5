"""``python -m neurdsp``: the command line."""

from neurdsp.cli import main

main()
