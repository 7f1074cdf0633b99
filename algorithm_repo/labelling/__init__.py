"""Labelling: what is to be labelled, what people and networks say of it, how far they agree, and freezing it."""
