"""`python -m chatproof` is `chatproof`."""

from chatproof.cli import main

main()
