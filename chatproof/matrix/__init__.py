"""The fault matrix: every fault over every carrier, each a short run that has to lose nothing."""
