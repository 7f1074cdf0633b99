"""Which worker runs which camera, and the worker itself: many cameras, one tracker, batches across them."""
