"""Shift handover (交接班): who is responsible at a desk of the dispatch centre, and what is handed on."""
