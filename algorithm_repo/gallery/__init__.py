"""算法展示: an algorithm tried on somebody's own picture or clip, by the networks and chain of the city."""
