"""Versions of training data: immutable lists of content hashes with their labels, each with a parent."""
