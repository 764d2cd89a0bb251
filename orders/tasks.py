"""The background jobs: nudges to the ledger, which alone knows what is to be done."""
