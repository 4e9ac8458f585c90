"""`python -m tests.bench`: what decisions, replay and state cost, beside another library and beside each other."""
