"""The warehouse's loop on real data: from verdicts to a network in production, or to the gate's refusal."""
