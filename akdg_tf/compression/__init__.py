"""Compression of a trained generator: each module makes a smaller network from a network."""
