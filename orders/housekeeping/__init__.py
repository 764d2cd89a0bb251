"""What keeps the house: `pruning` deletes what nobody needs any more."""
