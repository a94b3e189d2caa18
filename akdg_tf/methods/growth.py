"""Progressive growing (Karras et al. 2018): when a growing generator and its discriminator get their maps."""

import dataclasses
import functools
import logging

import keras
import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.methods.optimizers import start_anew

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Growth:
    """The growth at each step (Karras et al. 2018, figures 1 and 2).

    Training starts with the first map alone. Each further map fades in, linearly over `fade_images`, and is then
    trained for `stable_images`. With the last map fully in use, training goes on to the end of the run. A step counts
    its batch once, also if it takes several discriminator steps. Where the batch gets smaller, the order of the data
    goes back, so that some images are seen again.

    Attributes:
        batch_sizes: images per discriminator step with each map, from the first map to the last. Smaller maps allow
            larger batches.
        stable_images: images before the first fade, and between two fades.
        fade_images: images per fade.

    Raises:
        UserError: a size is not a positive integer, or there is no map.
    """

    batch_sizes: tuple[int, ...]
    stable_images: int = 800_000
    fade_images: int = 800_000

    def __post_init__(self):
        sizes = (*self.batch_sizes, self.stable_images, self.fade_images)
        if not self.batch_sizes or any(type(size) is not int or size < 1 for size in sizes):
            raise UserError(f"{self}: it needs one batch size per map, and all numbers must be positive integers")

    @functools.cached_property
    def _phases(self) -> list[tuple[int, int, float, int]]:
        """Of each phase: its first step, its number of steps, the growth at its start, its rise to the next phase."""
        phases, first = [], 0
        for i, size in enumerate(self.batch_sizes[:-1]):
            for images, batch, rise in ((self.stable_images, size, 0), (self.fade_images, self.batch_sizes[i + 1], 1)):
                steps = -(-images // batch)
                phases.append((first, steps, float(i), rise))
                first += steps
        return [*phases, (first, 1, len(self.batch_sizes) - 1.0, 0)]

    @property
    def steps(self) -> int:
        """Steps until the last map is fully in use."""
        return self._phases[-1][0]

    def at(self, step: tf.Tensor) -> tf.Tensor:
        """The growth in a step, float32 scalar: 0 with the first map alone, 1.5 with half of the third one.

        Args:
            step: int64 scalar, counted from 0.
        """
        first, steps, growth, rise = (tf.constant(column) for column in zip(*self._phases, strict=True))
        step = tf.cast(step, tf.int32)
        phase = tf.searchsorted(first, step[None], side="right")[0] - 1
        share = (tf.cast(step - first[phase], tf.float32) + 0.5) / tf.cast(steps[phase], tf.float32)
        return growth[phase] + tf.cast(rise[phase], tf.float32) * share

    def batch_size(self, step: tf.Tensor) -> tf.Tensor:
        """Images per discriminator step, int64 scalar."""
        return tf.constant(self.batch_sizes, tf.int64)[tf.cast(tf.math.ceil(self.at(step)), tf.int32)]

    def faded(self, images: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Reference images as the discriminator sees them: where a map fades in, so does their detail.

        Args:
            images: float32 [n, height, width, channels] of the full size.
            step: int64 scalar.

        Returns:
            float32, with the same shape.
        """
        growth = self.at(step)
        last = tf.math.ceil(growth)
        shape = images.shape[1:3]

        def coarse(i):
            """The images in the detail of the map before the last one in use."""
            factor = 2 ** (len(self.batch_sizes) - i)
            if i == 0:
                return images
            small = tf.nn.avg_pool2d(images, factor, factor, "VALID")
            return tf.image.resize(small, shape, "nearest")

        branches = [functools.partial(coarse, i) for i in range(len(self.batch_sizes))]
        before = tf.switch_case(tf.cast(last, tf.int32), branches)
        return before + (growth - last + 1.0) * (images - before)

    def smoke(self) -> "Growth":
        """All maps in the fewest steps: one per phase."""
        return dataclasses.replace(self, stable_images=1, fade_images=1)


class Grow(keras.callbacks.Callback):
    """Lets the networks of a trainer grow, step by step.

    Where a fade begins and where it ends, the optimizers start anew, as in PGGAN's code: with the state that they had
    before their first step. So a schedule of learning rates starts again, too. Give this callback to `fit`, with
    `steps_per_execution=1`.

    Args:
        growth: the growth at each step.
    """

    def __init__(self, growth: Growth):
        super().__init__()
        self.growth = growth

    def on_train_batch_begin(self, batch, logs=None):
        value = self.growth.at(self.model.step)
        networks = [*self.model.networks.values(), self.model.ema_generator]
        growing = [network for network in networks if getattr(network, "growing", False)]
        before = max((float(network.growth.numpy()) for network in growing), default=0.0)
        begins, ends = (bool(rounded(value) > rounded(before)) for rounded in (tf.math.ceil, tf.math.floor))
        if begins:
            logger.info("map %d of %d fades in", int(tf.math.ceil(value)) + 1, len(self.growth.batch_sizes))
        if begins or ends:
            for network, optimizer in zip(self.model.networks.values(), self.model.optimizers, strict=True):
                start_anew(optimizer, network.trainable_variables)
        for network in growing:
            network.growth.assign(value)
