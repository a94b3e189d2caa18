"""A frozen generator, which can be scored, described and drawn from."""

import dataclasses
import functools
import hashlib
import logging
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.errors import UserError
from akdg_tf.models.counting import Cost, count_cost, frozen_graph, is_countable
from akdg_tf.places import home_of, printable
from akdg_tf.teachers import graph_digest
from akdg_tf.teachers.probing import called_once, reason_of

logger = logging.getLogger(__name__)

CHECKED, ROUNDING = 32, 1e-3  # samples that `check` draws; share of the range by which they may leave it
NARROW = 0.02  # share of the range below which the samples are taken to be in another one
RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))  # of images in the wild
PROBES, PROBE_LEVELS = 16, 127.5  # images that belong to the digest of a generator with a hidden state; their levels


class FrozenGenerator:
    """A frozen generator. Its variables are not tracked by the model that learns from it, and no gradient reaches them.

    Args:
        function: maps latents, float32 [n, latent_dim], to images, float32 [n, *sample_shape] in `output_range`.
        latent_dim: size of the latent.
        prior: "normal", "uniform", or "normal, 10 classes"; see `latents.draw`.
        output_range: smallest and largest value of the function's images.
        module: object whose `variables` and `trainable_variables` are counted; default: the function.
        folder: the SavedModel that it was loaded from; None for a callable.
        batch: number of samples that the function always computes, whatever the number of latents; None if it computes
            as many as there are latents.

    Attributes:
        size: None: it makes any number of samples.

    Raises:
        ValueError: the prior is unknown, or the output range is empty.
    """

    size = None

    def __init__(
        self,
        function: Callable[[tf.Tensor], tf.Tensor],
        latent_dim: int,
        prior: str = "normal",
        output_range: tuple[float, float] = (-1.0, 1.0),
        module: object = None,
        folder: pathlib.Path | None = None,
        batch: int | None = None,
    ):
        if not latents.is_prior(prior):
            raise ValueError(f"prior {prior!r} is not one of {latents.PRIORS}")
        if latents.classes_in(prior) >= latent_dim:
            raise ValueError(f"latents of size {latent_dim} have no room for the labels of the prior {prior!r}")
        if not output_range[0] < output_range[1]:
            raise ValueError(f"output_range {output_range} is empty: give (smallest value, largest value)")
        self.function, self.latent_dim, self.prior, self.output_range = function, latent_dim, prior, output_range
        self.module = module if module is not None else function
        self.folder, self.batch = folder, batch

    @property
    def name(self) -> str | None:
        """Name of the run or zoo entry that holds the SavedModel, else of its own folder; None for a callable."""
        if self.folder is None:
            return None
        return printable(home_of(self.folder).resolve().name)

    @functools.cached_property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample: (height, width, channels) of an image, (2,) of a point."""
        return tuple(called_once(self, tf.zeros((1, self.latent_dim))).shape[1:])

    @functools.cached_property
    def sampling_batch(self) -> int:
        """Number of samples per call where many are drawn: few of large images, but not less than a fixed batch."""
        return max(latents.batch_size(self.sample_shape), self.batch or 1)

    def __call__(self, z: tf.Tensor) -> tf.Tensor:
        """Images in [-1, 1], float32 [n, *sample_shape], without gradient."""
        low, high = self.output_range
        outputs = self.function(z)
        if isinstance(outputs, tuple | list | dict):
            kind = type(outputs).__name__
            raise UserError(f"the teacher gives a {kind}: wrap it in a function that gives the images alone")
        images = tf.cast(outputs, tf.float32)
        if (low, high) != (-1.0, 1.0):
            images = (images - low) * (2.0 / (high - low)) - 1.0
        return tf.stop_gradient(images)

    def check(self, who: str = "the teacher", binding: str = "output_range") -> None:
        """Draws samples and checks them.

        Args:
            who: names the generator in the message.
            binding: what sets the range, for the message.

        Raises:
            UserError: the samples are not finite, or images are outside `output_range` by more than rounding.
        """
        samples = np.asarray(tf.cast(called_once(self.function, self._probes(CHECKED)), tf.float32))
        if not np.isfinite(samples).all():
            raise UserError(f"{who} gives samples that are not finite: it is damaged, or its weights are")
        low, high = self.output_range
        least, most, slack = float(samples.min()), float(samples.max()), ROUNDING * (high - low)
        if samples.ndim != 4:  # points have no range
            return
        if least < low - slack or most > high + slack:
            raise UserError(
                f"{who} gives samples from {least:.3g} to {most:.3g}, outside the range {(low, high)}: "
                f"bind {binding}, such as {_likely_range(least, most)}"
            )
        if most - least < NARROW * (high - low):
            logger.warning("%s gives samples only from %.3g to %.3g of the range %s", who, least, most, (low, high))
        elif len(samples) > 1 and (samples == samples[0]).all():
            logger.warning("%s gives the same image for all latents: it may be damaged, or not be a generator", who)

    def _probes(self, count: int) -> tf.Tensor:
        """Fixed latents for a look at the samples: `count` of them, less where so many images could fill the memory."""
        count = min(count, self.sampling_batch)
        return latents.draw(self.prior, count, self.latent_dim, (0, latents.PROBE), tf.constant(0, tf.int64))

    def batches(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """The first `count` samples for a seed, batch by batch, from the evaluation stream of latents.

        Yields:
            float32 [any, *sample_shape], `count` in all.
        """
        function, dim = tf.function(self), self.latent_dim
        yield from latents.sample_batches(function, self.prior, dim, count, seed, self.sampling_batch)

    def samples(self, count: int, seed: int) -> np.ndarray:
        """The samples of `batches` in one array, float32 [count, *sample_shape]."""
        return np.concatenate(list(self.batches(count, seed)))

    def draw_images(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """This replica's rows of the global draw of `step`; see `sources.ImageSource`."""
        return self(self.draw_latents(count, seed, step))

    def draw_latents(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tf.Tensor:
        """The latents of `draw_pairs`, float32 [count, latent_dim]."""
        return latents.draw(self.prior, count, self.latent_dim, seed, step)

    def draw_pairs(self, count: tf.Tensor, seed: tuple[int, int], step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Latents z, float32 [count, latent_dim], and the images G_T(z)."""
        z = self.draw_latents(count, seed, step)
        return z, self(z)

    def digest(self) -> str:
        """SHA-256, in hex, of all that determines the images: the graph with its weights, and the prior.

        If the graph calls Python or reads something that it does not hold, the images of 16 fixed latents belong to it.
        """
        graph = self._graph()
        parts = [self.prior.encode(), str(self.latent_dim).encode(), graph_digest.digest(graph).encode()]
        if graph_digest.has_hidden_state(graph):
            images = called_once(self, self._probes(PROBES)).numpy()
            parts.append(np.rint(images * PROBE_LEVELS).astype(np.int64).tobytes())
        return hashlib.sha256(b"|".join(parts)).hexdigest()

    def _graph(self) -> tf.Graph:
        """The graph for one sample, with variables as constants.

        Raises:
            UserError: it changes its variables.
        """
        try:
            return frozen_graph(self, (self.latent_dim,))
        except ValueError as error:
            who = f"the teacher {self.name}" if self.name else "the teacher"
            raise UserError(
                f"{who} cannot be frozen: its graph may change its variables; export it for inference, or give it as a "
                f"Python function ({reason_of(error)})"
            ) from error

    def describe(self) -> dict[str, int | None]:
        """Layers, params, mult_adds, executed_mult_adds, bytes and latent_dim; mult-adds are those of one sample.

        All but latent_dim are None if they are unknown: the graph calls Python, has loops or operations that are not
        counted, or none of its variables are found.
        """
        unknown = dict.fromkeys(field.name for field in dataclasses.fields(Cost))
        if is_countable(self._graph(), loops=bool(self.batch)):  # the one over the batches
            every = getattr(self.module, "variables", None)
            trainable = getattr(self.module, "trainable_variables", every)
            cost = count_cost(self, (self.latent_dim,), every, trainable).shared(self.batch or 1)
            if cost.bytes:
                return {**dataclasses.asdict(cost), "latent_dim": self.latent_dim}
        return {**unknown, "latent_dim": self.latent_dim}


def _likely_range(least: float, most: float) -> tuple[float, float]:
    """The first usual range that holds these values; their own if none does."""
    usual = (each for each in RANGES if each[0] - ROUNDING <= least and most <= each[1] + ROUNDING * each[1])
    return next(usual, (least, most))
