"""All tests, the chaos and the benchmark."""

import os
import sys

# Processes are started hundreds of times here, and as operators start them: not compiling the whole tree each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
