"""`python -m inkling` is the `inkling` command."""

from inkling.cli.main import main

main()
