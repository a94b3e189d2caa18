"""The picture of an entry, `samples.png`."""

import numpy as np

from akdg_tf.reporting import pictures
from akdg_tf.zoo.entries import Entry

GRID, GRID_COLUMNS, GRID_POINTS = 64, 8, 2000


def draw_samples(entry: Entry) -> np.ndarray:
    """Draws the picture in `samples.png`: the first 64 images, or the first 2,000 points, of the entry's seed.

    Returns:
        uint8 [height, width, 3].
    """
    generator, seed = entry.load(), entry.result.seed
    samples = generator.samples(GRID, seed)
    if samples.ndim == 4:
        return pictures.tile(samples, GRID_COLUMNS)
    return pictures.side_by_side({"": generator.samples(GRID_POINTS, seed)})
