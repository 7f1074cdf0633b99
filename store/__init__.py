"""Postgres, Valkey/Redis and objects, and starting the embedded ones."""
