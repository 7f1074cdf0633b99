"""The queue of trainings: rows in Postgres that workers claim, one at a time, under a lease."""
