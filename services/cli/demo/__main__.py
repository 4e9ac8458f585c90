"""`python -m services.cli.demo`: the same as `adjudex demo`."""

import sys

from services.cli.main import app

app(args=["demo", *sys.argv[1:]], prog_name="adjudex")
