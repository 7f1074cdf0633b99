"""Schema changes, one Alembic revision a file in `versions/`; `upgrade` applies them."""
