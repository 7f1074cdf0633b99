"""The warehouse of algorithms: evaluation by labelled clips, training. Replays the real chain; no database."""
