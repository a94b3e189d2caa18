"""Metrics: an evaluation turns generated samples and a dataset into scores. Each score records what defines it."""
