"""Readers of detection models, one file a family."""
