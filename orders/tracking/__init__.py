"""The page on which customers follow their order, and the sign-in of those who have an account."""
