"""Pictures of samples: grids of images, scatter plots of points, side by side under titles."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image

from akdg_tf.data.images import to_uint8
from akdg_tf.latents import batch_size

Picture = Callable[[], np.ndarray]

IMAGES, PIXELS, POINTS = 64, 2**22, 2000  # most images of a panel, most pixels of them together; points of a panel


def shown(sample_shape: Sequence[int]) -> int:
    """Number of samples that a panel shows: 2,000 points, 64 images, or fewer that are larger than 256x256."""
    return POINTS if len(sample_shape) == 1 else batch_size(sample_shape, IMAGES, PIXELS)


def tile(images: np.ndarray, columns: int) -> np.ndarray:
    """Tiles images into one.

    Args:
        images: float [n, height, width, channels] in [-1, 1].
        columns: images per row; n must be a multiple of it.

    Returns:
        uint8 [rows * height, columns * width, 3].
    """
    n, height, width, channels = images.shape
    rows = to_uint8(images).reshape(n // columns, columns, height, width, channels)
    grid = rows.transpose(0, 2, 1, 3, 4).reshape(n // columns * height, columns * width, channels)
    return np.repeat(grid, 3, axis=-1) if channels == 1 else grid


def side_by_side(samples: Mapping[str, np.ndarray], columns: int | None = None) -> np.ndarray:
    """One panel per entry: a grid of at most 64 images, or a scatter plot of all points, with its title.

    Args:
        samples: samples in [-1, 1] by title, float32 [n, height, width, channels] or [n, 2].
        columns: panels per row; by default all panels are in one row.

    Returns:
        uint8 [height, width, 3].
    """
    columns = columns or len(samples)
    rows = -(-len(samples) // columns)
    lines = max(2, *(title.count("\n") + 1 for title in samples))
    canvas = new_canvas((4 * columns, rows * (4.2 + 0.2 * lines)))
    axes = canvas.figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat[len(samples) :]:
        axis.set_axis_off()
    for axis, (title, values) in zip(axes.flat, samples.items(), strict=False):
        axis.set_title(title, fontsize=10)
        if values.ndim == 2:
            axis.scatter(values[:, 0], values[:, 1], s=1, alpha=0.4, linewidths=0)
            axis.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal", xticks=[], yticks=[])
        else:
            side = min(8, math.isqrt(len(values)))
            axis.imshow(tile(values[: min(IMAGES, len(values) // side * side)], side), interpolation="nearest")
            axis.set_axis_off()
    return drawn(canvas)


def new_canvas(size: tuple[float, float]):
    """An empty Matplotlib canvas of this width and height in inches, whose `figure` takes the axes."""
    # Imported here, so that other uses do not need Matplotlib. Without pyplot, whose backend the user may have chosen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    return FigureCanvasAgg(Figure(size, layout="constrained"))


def drawn(canvas) -> np.ndarray:
    """The picture on a canvas, uint8 [height, width, 3]."""
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_png(picture: np.ndarray, path) -> None:
    """Writes a picture, uint8 [height, width, 3], as PNG."""
    Image.fromarray(picture).save(path)
