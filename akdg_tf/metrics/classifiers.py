"""Classifiers that metrics are computed over: Inception from TF Hub, or one of the zoo, for offline use."""

import dataclasses
import hashlib
import json
import logging
import os
import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

from akdg_tf.errors import UserError
from akdg_tf.files import folder_digest, read_small
from akdg_tf.metrics.resizing import Resize
from akdg_tf.places import find_saved_model

logger = logging.getLogger(__name__)

INCEPTION_HANDLE = "https://tfhub.dev/tensorflow/tfgan/eval/inception/1"
INCEPTION_SIDE = 299
BATCH = 250

ImageShape = tuple[int | None, ...]  # (height, width, channels); None: any


@dataclasses.dataclass(frozen=True)
class Classifier:
    """A frozen classifier.

    Attributes:
        id: name that is part of every score computed over it; only "inception" is left out. A stated resize is part of
            the id: "cifar10-classifier area 32x32".
        resize: how images are resized to its input size, "none" if they are not.
        digest: SHA-256, in hex, of its SavedModel and of the stated resize.
        outputs: maps float32 images [n, h, w, c] in [-1, 1] to {"logits": [n, classes], "features": [n, d]}.
        sample_shape: shape of the images that it takes, before any resize.
    """

    id: str
    resize: str
    digest: str
    outputs: Callable[[tf.Tensor], dict[str, tf.Tensor]]
    sample_shape: ImageShape = (None, None, None)

    def activations(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits [n, classes] and features [n, d] of images in [-1, 1], batch by batch."""
        batches = [self.outputs(tf.constant(images[i : i + BATCH])) for i in range(0, len(images), BATCH)]
        logits, features = (np.concatenate([batch[key] for batch in batches]) for key in ("logits", "features"))
        return logits, features

    def check_takes(self, sample_shape: tuple[int, ...]) -> None:
        """Checks that it takes samples of a shape.

        Raises:
            UserError: it does not.
        """
        try:
            self.activations(np.zeros((1, *sample_shape), np.float32))
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            refused = f"classifier {self.id} takes no samples of shape {tuple(sample_shape)}"
            raise UserError(f"{refused}: {_advice(self.sample_shape, sample_shape)}") from error

    def for_channels(self, channels: int) -> "Classifier":
        """The same classifier for images of this many channels: one of RGB images gets gray ones as three channels."""
        *size, own = self.sample_shape
        if (own, channels) != (3, 1):
            return self
        outputs = self.outputs
        shape = (*size, channels)
        return dataclasses.replace(self, outputs=lambda x: outputs(tf.repeat(x, 3, axis=-1)), sample_shape=shape)


def _advice(taken: ImageShape, shape: tuple[int, ...]) -> str:
    """What to bind if a classifier does not take samples of a shape."""
    *size, channels = taken
    if channels is not None and channels != shape[-1]:
        return f"its images have {channels} channel{'s' * (channels > 1)}; bind another"
    if len(shape) == len(taken) and None not in taken:
        return "bind load_classifier.resize = 'area {}x{}', or another classifier".format(*size)
    return "bind another"


def load_classifier(name: str, resize: str | None = None) -> Classifier:
    """Loads a classifier that `export_classifier` wrote.

    A classifier that resizes its images itself says how in its `classifier.json`. A stated resize comes before that.

    Args:
        name: see `places.find_saved_model`.
        resize: how to resize images to the classifier's size, so that it takes images of any size: "area 32x32" or
            "bilinear 32x32" (with antialiasing), height before width. Images that are not of this aspect ratio are
            stretched. None: the images must have the classifier's size. Scores never make gray images RGB.

    Returns:
        The classifier. With a resize it has another id and digest than without.

    Raises:
        UserError: there is no such classifier, or it does not take images of the stated size.
    """
    stated = None if resize is None else Resize.parse(resize)
    folder = find_saved_model(name)
    meta = (folder or pathlib.Path()) / "assets.extra" / "classifier.json"
    if folder is None or not meta.exists():
        raise UserError(
            f"there is no classifier {name!r}: name one in the zoo, or train one as gin/mnist_classifier.gin does"
        )
    identity, fixed_resize = _about(meta)
    module = hub.load(os.fspath(folder))
    plain = Classifier(
        id=identity,
        resize=fixed_resize,
        digest=folder_digest(folder),
        outputs=lambda images: module((images + 1.0) / 2.0),
        sample_shape=image_shape_of(module),
    )
    return _resizing(plain, stated) if stated else plain


def _about(path: pathlib.Path) -> tuple[str, str]:
    """Id of a classifier, and how its graph resizes images.

    Raises:
        UserError: the file is damaged.
    """
    try:
        about = json.loads(read_small(path))
        found = about["id"], about.get("resize", "none")
        if not all(isinstance(each, str) for each in found):
            raise ValueError("id or resize")
        return found
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} is damaged: make or download the classifier again") from error


def image_shape_of(classifier) -> ImageShape:
    """Shape of the images that a classifier's SavedModel takes."""
    signature = classifier.signatures["serving_default"].structured_input_signature[1]
    return tuple(signature["images"].shape[1:])


def _resizing(classifier: Classifier, resize: Resize) -> Classifier:
    """The classifier with a resize before it.

    Raises:
        UserError: it does not take images of this size.
    """
    height, width, channels = classifier.sample_shape
    if height not in (None, resize.height) or width not in (None, resize.width):
        fits = f"'{resize.method} {height}x{width}'"
        raise UserError(f"{classifier.id} takes images of {height}x{width}: bind load_classifier.resize = {fits}")
    own = "" if classifier.resize == "none" else f", then {classifier.resize}"
    return Classifier(
        id=f"{classifier.id} {resize}",
        resize=f"{resize}{own}",
        digest=hashlib.sha256(f"{classifier.digest} {resize}".encode()).hexdigest(),
        outputs=lambda images: classifier.outputs(resize(images)),
        sample_shape=(None, None, channels),
    )


def load_inception(handle: str = INCEPTION_HANDLE) -> Classifier:
    """Loads TF-GAN's Inception, for IS, FID and KID as they are usually published.

    Images are resized to 299x299 by TensorFlow 1's bilinear kernel, as in TF-GAN. Gray images become RGB.

    Args:
        handle: TF Hub handle (cached under TFHUB_CACHE_DIR), or local folder of the module.

    Returns:
        The classifier.

    Raises:
        UserError: it cannot be loaded.
    """
    try:
        folder = hub.resolve(os.path.expanduser(handle))
        module = hub.load(folder)
    except Exception as error:
        logger.debug("loading Inception", exc_info=True)
        raise UserError(
            f"Inception cannot be loaded from {handle} ({type(error).__name__}): bind load_inception.handle to a local "
            "path, set TFHUB_CACHE_DIR to a cache that holds it, or bind ImageScores.classifier = @load_classifier"
        ) from None

    @tf.function
    def outputs(images):
        images = tf.image.grayscale_to_rgb(images) if images.shape[-1] == 1 else images
        found = module(tf.compat.v1.image.resize_bilinear(images, (INCEPTION_SIDE, INCEPTION_SIDE)))
        return {"logits": found["logits"], "features": found["pool_3"]}

    return Classifier("inception", "tf1-bilinear 299x299", folder_digest(pathlib.Path(folder)), outputs)
