"""Adapts the function of a foreign SavedModel to what a `FrozenGenerator` needs: latents [n, d] to samples."""

import dataclasses
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from akdg_tf.errors import UserError, said_in
from akdg_tf.teachers.constants import Constant
from akdg_tf.teachers.probing import called_once, reason_of

logger = logging.getLogger(__name__)

CHANNELS = (1, 3)  # of images
LAYOUTS = ("NHWC", "NCHW")
PROBES = 4  # samples that show shape and layout


@dataclasses.dataclass(frozen=True)
class Reading:
    """How a foreign function is called, and what is taken from its outputs; None where it tells so itself.

    Attributes:
        inputs: constant values of the inputs other than the latent, by name, such as {"truncation": 0.7}; see
            `constants.Constant`.
        output: key or index of the output that holds the samples.
        layout: "NHWC" or "NCHW".
    """

    inputs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    output: str | int | None = None
    layout: str | None = None


class ForeignFunction:
    """A function of latents, float32 [n, latent_dim] to samples [n, *sample_shape].

    It casts and reshapes the latents, feeds constants to all other inputs, fills up a fixed batch, picks one output,
    and brings images to the layout NHWC. What it has assumed is logged.

    Args:
        call: the foreign function; is given all inputs by name.
        specs: the inputs by name.
        latent_dim: size of the latent, None if the input's shape states it.
        reading: what the function does not tell itself.
        where: names the function in messages.

    Attributes:
        latent_dim: size of the latent.
        batch: number of samples per call of the foreign function; None if it is free.
        dtype: of the samples.

    Raises:
        UserError: an input or output is not known, or the outputs are no samples.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        specs: Mapping[str, tf.TensorSpec],
        latent_dim: int | None,
        reading: Reading,
        where: str,
    ):
        self.call, self.specs, self.reading, self.where = call, dict(specs), reading, where
        if reading.layout not in (None, *LAYOUTS):
            raise UserError(f"load_teacher.layout is {reading.layout!r}: bind one of {', '.join(LAYOUTS)}")
        self.latent = self._latent_input()
        shape = specs[self.latent].shape
        self.batch = shape[0] if shape.rank else None
        inner = list(shape[1:]) if shape.rank else [None]
        known = None if None in inner else math.prod(size for size in inner if size is not None)
        if latent_dim and known and latent_dim != known:
            raise UserError(
                f"{where} takes latents of {known} numbers, not {latent_dim}: correct load_teacher.latent_dim"
            )
        size = latent_dim or known
        if not size:
            raise UserError(f"{where} does not state its latent size: bind load_teacher.latent_dim")
        self.latent_dim: int = size
        self._inner = [self.latent_dim] if len(inner) == 1 else inner
        given = reading.inputs.items()
        self._constants = {name: Constant(name, value, specs[name], self.batch) for name, value in given}
        self._pick, self._swap, self._shape, self.dtype = self._probed()

    def _latent_input(self) -> str:
        """Name of the input that takes the latents."""
        unknown = sorted(set(self.reading.inputs) - set(self.specs))
        if unknown:
            raise UserError(f"{self.where} has no input {unknown[0]!r}: its inputs are {self._listed(self.specs)}")
        free = {name: spec for name, spec in self.specs.items() if name not in self.reading.inputs}
        latents = [name for name, spec in free.items() if spec.dtype.is_floating and spec.shape.rank != 0]
        latents = list(free) if len(free) == 1 else latents
        if len(latents) != 1:
            raise UserError(
                f"{self.where} must have one input for the latents: bind the others as load_teacher.inputs; "
                f"its inputs are {self._listed(self.specs)}"
            )
        others = {name: spec for name, spec in free.items() if name != latents[0]}
        if others:
            example = {name: "VALUE" for name in others}
            raise UserError(f"{self.where} also takes {self._listed(others)}: bind load_teacher.inputs={example}")
        return latents[0]

    @staticmethod
    def _listed(specs: Mapping[str, tf.TensorSpec]) -> str:
        return ", ".join(f"{name} ({spec.dtype.name} {spec.shape})" for name, spec in specs.items())

    def _raw(self, z: tf.Tensor) -> Any:
        """All outputs for latents [n, d]; n is the fixed batch if there is one."""
        spec, count = self.specs[self.latent], tf.shape(z)[0]
        fed = {self.latent: tf.reshape(tf.cast(z, spec.dtype), (count, *self._inner))}
        fed |= {name: constant(count) for name, constant in self._constants.items()}
        return self.call(**fed)

    def _probed(self) -> tuple[Callable[[Any], tf.Tensor], bool, tuple[int, ...], tf.DType]:
        """How to pick the samples from the outputs, whether to swap their layout, their shape and dtype."""
        z = tf.random.stateless_normal((self.batch or PROBES, self.latent_dim), (0, 0))
        try:
            outputs = called_once(self._raw, z)
        except UserError:
            raise
        except Exception as error:  # a foreign graph may raise any exception
            who = f"{self.where} cannot be called with latents of {self.latent_dim}"
            raise UserError(said_in(str(error)) or f"{who}: {reason_of(error)}") from error
        pick = self._choice(outputs)
        samples = pick(outputs)
        shape = tuple(samples.shape[1:])
        if len(samples) != len(z) or len(shape) not in (1, 3):
            raise UserError(
                f"{self.where} gives {tuple(samples.shape)} for {len(z)} latents: it must give images "
                "[n, height, width, channels] or points [n, size]; another output is bound as load_teacher.output"
            )
        swap = self.reading.layout == "NCHW"
        if len(shape) == 3 and self.reading.layout is None and shape[0] in CHANNELS and shape[2] not in CHANNELS:
            swap = True
            logger.info("%s gives images of shape %s: taken as NCHW", self.where, shape)
        return pick, swap, (*shape[1:], shape[0]) if swap else shape, samples.dtype

    def _choice(self, outputs: Any) -> Callable[[Any], tf.Tensor]:
        """The function that picks the samples."""
        found, chosen = _by_key(outputs), self.reading.output
        if chosen is None:
            fitting = list(found) if len(found) == 1 else [key for key, each in found.items() if len(each.shape) == 4]
            chosen = fitting[0] if len(fitting) == 1 else None
        if chosen not in found:
            shown = ", ".join(f"{key!r} {tuple(each.shape)}" for key, each in found.items())
            raise UserError(f"{self.where} has the outputs {shown}: bind load_teacher.output to one of them")
        if len(found) > 1:
            logger.info("%s: its output %r is taken", self.where, chosen)
        return lambda outputs: _by_key(outputs)[chosen]

    def __call__(self, z: tf.Tensor) -> tf.Tensor:
        """Samples [n, *sample_shape] in the function's own range and dtype."""
        samples = self._pick(self._raw(z)) if self.batch is None else self._in_batches(z)
        samples = tf.transpose(samples, (0, 2, 3, 1)) if self._swap else samples
        return tf.ensure_shape(samples, (z.shape[0], *self._shape))

    def _in_batches(self, z: tf.Tensor) -> tf.Tensor:
        """The samples of a function whose batch is fixed: the last batch is filled up with zeros."""
        count = tf.shape(z)[0]
        filled = tf.concat([z, tf.zeros((-count % self.batch, self.latent_dim), z.dtype)], 0)
        batches = tf.reshape(filled, (-1, self.batch, self.latent_dim))
        samples = tf.map_fn(lambda batch: self._pick(self._raw(batch)), batches, fn_output_signature=self.dtype)
        return tf.reshape(samples, (-1, *self._stored()))[:count]

    def _stored(self) -> tuple[int, ...]:
        """Shape of a sample as the function gives it."""
        return (self._shape[-1], *self._shape[:-1]) if self._swap else self._shape


def _by_key(outputs: Any) -> dict[str | int, tf.Tensor]:
    """The outputs by their key, or by their index; a single tensor has the index 0. What is no tensor is left out."""
    items = outputs.items() if isinstance(outputs, Mapping) else enumerate(outputs if _is_list(outputs) else [outputs])
    return {key: tf.convert_to_tensor(each) for key, each in items if isinstance(each, tf.Tensor | np.ndarray)}


def _is_list(outputs: Any) -> bool:
    return isinstance(outputs, tuple | list)
