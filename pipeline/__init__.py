"""One camera's way: source, packets (ring), gate, decode, batch, detect, track, rules, evidence, emit."""
