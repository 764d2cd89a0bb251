"""Measurements that anyone can repeat; each module says how."""
