"""Event algorithms beyond those that ship: one file each, parameters and rule together; see docs/extending.md."""
