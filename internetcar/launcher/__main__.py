"""`python -m internetcar.launcher` is the command `car`."""

from internetcar.launcher.command import main

main()
