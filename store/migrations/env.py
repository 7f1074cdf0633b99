"""What Alembic runs for every command: our metadata, on the connection that `store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from store.database import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
