"""What rules are worth, measured: labelled clips through the real chain, matched with their truth and counted."""
