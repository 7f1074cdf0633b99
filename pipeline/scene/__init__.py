"""What a camera's tracks say of its scene over a day: where vehicles drive and stand, where people walk."""
