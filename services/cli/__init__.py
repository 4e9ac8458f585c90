"""The command line: runs a space on one machine, and reads, exports and verifies what it decided."""

import gc

# Importing makes many objects and next to no garbage: looking for it 200 times is a twelfth of a service's start.
gc.set_threshold(50_000)
