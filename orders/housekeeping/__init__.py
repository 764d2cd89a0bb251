"""What keeps the house: `expiring` cancels what is PENDING for too long, `pruning` deletes."""
