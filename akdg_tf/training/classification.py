"""x."""
ClassifierExperiment = None
