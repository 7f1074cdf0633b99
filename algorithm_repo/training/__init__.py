"""Training of the built-in networks. Needs only the standard library, numpy, OpenCV and torch, so that it also runs on
a bare machine with a GPU; nothing at run time imports it."""
