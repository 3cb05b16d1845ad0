"""`python -m oumi` is the command `oumi`."""

from oumi.cli.main import main

main()
