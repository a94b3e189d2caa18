"""Quantization-aware training as a compression: kernels are rounded in the forward pass."""

import dataclasses

import keras

from akdg_tf.compression.layerwise import Replacement, in_sequence, like, replaced
from akdg_tf.errors import UserError
from akdg_tf.models.generators import Generator
from akdg_tf.models.layers import UpsampleConv2D
from akdg_tf.models.quantized import FakeQuantConv2D, FakeQuantDense, FakeQuantUpsampleConv2D

BITS = (2, 8)  # fewest and most
KINDS = {
    keras.layers.Dense: FakeQuantDense,
    keras.layers.Conv2D: FakeQuantConv2D,
    UpsampleConv2D: FakeQuantUpsampleConv2D,
}


@dataclasses.dataclass(frozen=True)
class FakeQuantize:
    """Makes a network whose kernels are rounded as the export to LiteRT will store them; see `models.quantized`.

    The training then finds weights that draw well although they are rounded. Biases and norms are not rounded. Of the
    other compressions only `PruneWeights` takes such a network.

    Attributes:
        bits: of a stored weight, from 2 to 8: 8 before `LiteRT.weights` 'int8' and 'int8_full', 4 or 2 before 'int4'.

    Raises:
        UserError: `bits` is something else.
    """

    bits: int = 8

    def __post_init__(self):
        if type(self.bits) is not int or not BITS[0] <= self.bits <= BITS[1]:
            raise UserError(f"FakeQuantize.bits is {self.bits!r}: bind a whole number from {BITS[0]} to {BITS[1]}")

    def __call__(self, generator: Generator) -> Generator:
        """The network with rounded kernels; see `stages.Compression`."""
        return replaced(in_sequence(generator), self._rounded)

    def _rounded(self, layer: keras.layers.Layer) -> list[Replacement] | None:
        """A layer that rounds its kernel, in the place of one that does not; None for a layer without kernel."""
        kind = KINDS.get(type(layer))
        if kind:
            return [Replacement(like(layer, kind, bits=self.bits), layer.get_weights())]
        if hasattr(layer, "kernel") or isinstance(layer, UpsampleConv2D):
            known = ", ".join(each.__name__ for each in KINDS)
            raise UserError(f"FakeQuantize cannot round the kernel of a {type(layer).__name__}: only of {known}")
        return None
