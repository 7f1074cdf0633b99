"""The warehouse of algorithms: evaluation by labelled clips and training. Replays the real chain; never the database."""
