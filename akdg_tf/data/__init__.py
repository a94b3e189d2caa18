"""Datasets, registered by name. To add one, see `images.py` for the shortest example."""

from akdg_tf.data import cifar, folder, images, lmdb_images, points, teacher, tfds_images  # noqa: F401  (their loaders register themselves)
from akdg_tf.data.registry import (
    Dataset,
    ImageDataset,
    by_step,
    check_name,
    load_dataset,
    reads_folder,
    register_dataset,
)

__all__ = ["Dataset", "ImageDataset", "by_step", "check_name", "load_dataset", "reads_folder", "register_dataset"]
