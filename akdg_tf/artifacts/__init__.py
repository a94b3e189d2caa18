"""What a run leaves: SavedModel, LiteRT model, network, costs, result."""
