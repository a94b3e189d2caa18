"""Running an experiment: gin configuration, run folder, schedule, loop, callbacks, warm start."""
