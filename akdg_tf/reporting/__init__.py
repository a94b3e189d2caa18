"""Tables and pictures of runs and of the zoo."""
