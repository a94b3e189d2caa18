"""Unstructured pruning: single weights become zero, and stay zero while the network is fine-tuned."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from akdg_tf.artifacts import network
from akdg_tf.compression.layerwise import in_sequence
from akdg_tf.errors import UserError
from akdg_tf.models.generators import Generator


class FixedZeros(keras.constraints.Constraint):
    """Keeps weights at zero. An optimizer applies it after each of its updates.

    Args:
        kept: bool, of the variable's shape; False where the weight stays zero.
    """

    def __init__(self, kept: np.ndarray):
        self.kept = kept

    def __call__(self, w: tf.Tensor) -> tf.Tensor:
        return ops.where(self.kept, w, ops.zeros_like(w))


@dataclasses.dataclass(frozen=True)
class PruneWeights:
    """Sets the smallest weights of a generator to zero; a `Compression`.

    One threshold is taken for the kernels of all layers together: the weights whose magnitude is below it become zero
    (magnitude pruning, Han et al. 2015). Biases and norms are kept. The layers and their mult-adds stay the same. What
    becomes smaller is the file after compression: `result.Network.compressed_size`.

    The zeros stay zero in the fine-tuning, by the constraints of the kernels. A further stage would make a new network,
    without these constraints. So this stage is the last of a run.

    Attributes:
        sparsity: share of the kernels' weights that are zero afterwards, in (0, 1).

    Raises:
        UserError: the sparsity is outside this range.
    """

    sparsity: float = 0.8

    def __post_init__(self):
        if not isinstance(self.sparsity, int | float) or not 0 < self.sparsity < 1:
            raise UserError(f"PruneWeights.sparsity must be between 0 and 1, not {self.sparsity!r}")

    def __call__(self, generator: Generator) -> Generator:
        """The generator with zeros.

        Raises:
            UserError: more of its weights are zero already, or none would be left of a layer.
        """
        pruned = network.from_config(network.config_of(in_sequence(generator)))
        pruned.set_weights(generator.get_weights())
        kernels = kernels_of(pruned)
        for kernel, kept in zip(kernels, self._kept([kernel.numpy() for kernel in kernels]), strict=True):
            if not kept.any():
                raise UserError(
                    f"PruneWeights.sparsity={self.sparsity} leaves no weight of {kernel.path}: choose a lower one"
                )
            kernel.constraint = FixedZeros(kept)
            kernel.assign(kernel.constraint(kernel))
        return pruned

    def _kept(self, kernels: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Which weights are kept, bool arrays of the kernels' shapes. Of equal ones the first become zero."""
        weights = np.concatenate([np.abs(kernel).ravel() for kernel in kernels])
        count, zeros = round(self.sparsity * weights.size), int(np.sum(weights == 0))
        if zeros > count:
            raise UserError(
                f"{zeros / weights.size:.1%} of the weights are zero already: bind a PruneWeights.sparsity above this, "
                f"not {self.sparsity}"
            )
        kept = np.ones(weights.size, bool)
        kept[np.argsort(weights, kind="stable")[:count]] = False
        ends = np.cumsum([kernel.size for kernel in kernels])
        parts = np.split(kept, ends[:-1])
        return [part.reshape(kernel.shape) for part, kernel in zip(parts, kernels, strict=True)]


def kernels_of(generator: keras.Model) -> list[keras.Variable]:
    """The weights that a network multiplies maps and vectors with: all variables but biases and those of norms."""
    return [variable for variable in generator.variables if variable.ndim > 1]
