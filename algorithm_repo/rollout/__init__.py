"""Roll-out by whole cameras: candidates run beside production, are compared with it, and go where people let them."""
