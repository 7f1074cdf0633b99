"""The registry: which version of which algorithm is where in its life, and the ledger of how it came there."""
