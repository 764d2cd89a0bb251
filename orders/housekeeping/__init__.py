"""What keeps the house: old orders expire, personal data is given out and erased, the rest pruned.

`expiring` cancels what is PENDING for too long, `people` says who a customer is, `exporting` and
`erasing` are about their personal data, and `pruning` deletes what nobody needs any more.
"""
