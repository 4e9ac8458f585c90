"""Schemas of everything that travels, generated from the models, and the lock that keeps readers from being broken.

    python -m tools.schemas              writes schemas/generated/
    python -m tools.schemas --check      fails, saying what differs from the code and what breaks a reader
    python -m tools.schemas --lock       takes today's contract into the lock; what is released only grows
    python -m tools.schemas --release    notes in the lock that the version in pyproject.toml is released
    python -m tools.schemas --golden     adds golden bytes of messages that have none (tests/golden/messages.jsonl)

docs/schemas.md has the rules.
"""
