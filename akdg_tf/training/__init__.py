"""Running an experiment: gin configuration, run folder, loop, checkpoints, callbacks, results."""
