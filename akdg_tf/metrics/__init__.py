"""Metrics: an evaluation turns generated samples and a dataset into scores that say what defines them."""
