"""`python -m services.cli`: the same as `adjudex`."""

from services.cli.main import app

app(prog_name="adjudex")
