"""The admin's home: how the shop stands, by what its viewer's roles let them see."""
