"""What keeps the house: old orders expire, personal data is given out and erased, the rest pruned.

`expiring` cancels what is PENDING for too long, `people` says who a customer is, `exporting` and
`erasing` are about their personal data, and `pruning` deletes what nobody needs any more. Of an
erasure, `mentions` are what staff have typed, `traces` what only a person can tell, and `sweeping`
takes out what PostgreSQL has kept of the rows.
"""
