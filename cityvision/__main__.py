"""`python -m cityvision` is the `cityvision` command."""

from cityvision.cli import main

main()
