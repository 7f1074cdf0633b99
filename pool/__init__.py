"""The shared video resource pool: files in, a checked pool out, and its revisions in the database."""
