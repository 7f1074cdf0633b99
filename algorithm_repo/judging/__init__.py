"""What a trained network is worth beside the one before it, and whether it may go on."""
