"""What a run produces: checkpoints, SavedModel, LiteRT model, networks, costs, result."""
