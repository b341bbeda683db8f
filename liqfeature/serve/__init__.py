"""The live map: a page for all pairs, served on this machine."""
