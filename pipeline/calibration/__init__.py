"""Calibrations, one JSON file an event type, written by `cityvision train confidence`; see `pipeline.confidence`."""
