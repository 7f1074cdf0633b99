"""Versions of training data that are kept for good: rows in Postgres, what they hold in the object store."""
