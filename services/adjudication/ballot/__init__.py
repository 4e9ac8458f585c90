"""The parts of a ballot: who may vote, when, with which weight, and how it is counted."""
