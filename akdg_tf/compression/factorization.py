"""Tensor factorization: one large kernel becomes two or three small ones.

A dense layer becomes two by a truncated SVD. A 3x3 convolution becomes 1x1, 3x3 and 1x1 by Tucker-2, the decomposition
along the two axes of channels (Kim et al. 2016). The 1x1 convolution before an `UpsampleConv2D` works at the lower
resolution. There is no activation between the factors.
"""

import bisect
import dataclasses
import functools
import logging
from collections.abc import Mapping

import keras
import numpy as np

from akdg_tf.compression.layerwise import Replacement, in_sequence, layers_in, like, replaced
from akdg_tf.errors import UserError
from akdg_tf.models.counting import cost_of
from akdg_tf.models.generators import Generator
from akdg_tf.models.layered import LayeredGenerator
from akdg_tf.models.layers import UpsampleConv2D
from akdg_tf.models.sizing import Budget, check_budgets

logger = logging.getLogger(__name__)

ROUNDING = 1e-12  # share of the energy that float32 weights of a lower rank have beyond it
ITERATIONS = 5  # of the Tucker decomposition, which hardly improves after them
SIDE = 3  # of the kernels
FEW = 4  # an axis of at most so many channels is not reduced: those of the last layer are the colors of a pixel

Shares = Mapping[keras.layers.Layer, list[np.ndarray]]  # of each layer that can be factorized, see `_shares`


@dataclasses.dataclass(frozen=True)
class Factorize:
    """Factorizes the kernels of dense layers, 3x3 convolutions and `UpsampleConv2D`, also in residual blocks.

    Give `energy`, or one or both of the budgets. A layer stays as it is where its factors would not have fewer weights,
    and so fewer mult-adds, see `counting.Cost.mult_adds`.

    Attributes:
        energy: share of the squared singular values that each kernel keeps along each of its axes, in (0, 1]. The ranks
            are the smallest that keep it. An axis of at most 4 channels keeps them all.
        max_params: largest number of trainable parameters of the network. The ranks keep the largest energy, the same
            in all layers, with which the network is within its budgets.
        max_mult_adds: largest number of mult-adds per image.

    Raises:
        UserError: the energy is out of range, a budget is not a positive whole number, or both or neither of energy and
            budgets are given.
    """

    energy: float | None = None
    max_params: int | None = None
    max_mult_adds: int | None = None

    def __post_init__(self):
        budgets = (self.max_params, self.max_mult_adds) != (None, None)
        if budgets == (self.energy is not None):
            raise UserError("bind either Factorize.energy, or Factorize.max_params and Factorize.max_mult_adds")
        if not budgets and not (isinstance(self.energy, int | float) and 0.0 < self.energy <= 1.0):
            raise UserError(f"Factorize.energy is {self.energy!r}: bind a number above 0 and not above 1")
        check_budgets(self)

    def __call__(self, generator: Generator) -> Generator:
        """The factorized network; see `stages.Compression`.

        Raises:
            UserError: tensorly is not installed, the kernel of a layer is computed from its weights, the budget cannot
                be reached, or no layer would be factorized.
        """
        net = in_sequence(generator).net
        shares = {layer: _shares(layer) for layer in layers_in(net) if _has_factors(layer)}
        energy = self._largest_energy(generator, shares) if self.energy is None else self.energy
        factorized = _factorized(generator, shares, energy)
        if cost_of(factorized) == cost_of(generator):
            raise UserError(
                "Factorize changes nothing: no factors have fewer weights than their layer; bind a smaller budget or a "
                "lower energy"
            )
        return factorized

    def _largest_energy(self, generator: Generator, shares: Shares) -> float:
        """The largest energy with which the network is within the budgets.

        The ranks change only at the shares that some rank keeps, and the costs grow with the energy.
        """
        energies = sorted({float(share) for axes in shares.values() for axis in axes for share in axis})
        budget = Budget(self.max_mult_adds, self.max_params)
        costs = functools.cache(lambda energy: cost_of(_factorized(generator, shares, energy, decomposed=False)))
        within = bisect.bisect_left(energies, True, key=lambda energy: not budget.holds(costs(energy)))
        if not within:
            least = costs(energies[0]) if energies else cost_of(generator)
            budgets = {"max_params": self.max_params, "max_mult_adds": self.max_mult_adds}
            bound = " and ".join(f"Factorize.{name}={value}" for name, value in budgets.items() if value is not None)
            raise UserError(
                f"{bound} cannot be reached: with the lowest ranks the network has {least.params:,} params and "
                f"{least.mult_adds:,} mult-adds"
            )
        logger.info("the kernels keep %.4f of their energy", energies[within - 1])
        return energies[within - 1]


def _has_factors(layer: keras.layers.Layer) -> bool:
    """Whether a layer is one of those that are factorized.

    Raises:
        UserError: its kernel is computed from its weights, so that the factors would be those of something else.
    """
    if type(layer) is keras.layers.Conv2D:
        plain = layer.strides == layer.dilation_rate == (1, 1) and layer.groups == 1
        return plain and layer.kernel_size == (SIDE, SIDE)
    if type(layer) in (keras.layers.Dense, UpsampleConv2D):
        return True
    if hasattr(layer, "used_kernel"):
        raise UserError(f"a {type(layer).__name__} cannot be factorized: put Factorize before the stage that made it")
    return False


def _shares(layer: keras.layers.Layer) -> list[np.ndarray]:
    """The share of the energy that each rank keeps, from rank 1 to the full one, along each axis that is factorized."""
    kernel = layer.get_weights()[0].astype(np.float64)
    axes = range(kernel.ndim - 2, kernel.ndim) if kernel.ndim == 4 else [0]
    unfolded = (np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1) for axis in axes)
    grams = (each @ each.T if len(each) <= each.shape[1] else each.T @ each for each in unfolded)
    energies = [np.linalg.eigvalsh(each)[::-1].clip(0.0) for each in grams]  # the squared singular values
    return [np.cumsum(each) / max(each.sum(), np.finfo(np.float64).tiny) for each in energies]


def _factorized(generator: Generator, shares: Shares, energy: float, decomposed: bool = True) -> LayeredGenerator:
    """The network whose kernels keep an energy; with random factors, to be counted, if they are not decomposed."""

    def factors(layer):
        ranks = [_rank(axis, energy) for axis in shares.get(layer, ())]
        if not ranks or not _is_cheaper(layer, ranks):
            return None
        layers = _chain(layer, ranks)
        weights = _weights(layer, ranks) if decomposed else [None] * len(layers)
        return [Replacement(*each) for each in zip(layers, weights, strict=True)]

    return replaced(generator, factors)


def _rank(shares: np.ndarray, energy: float) -> int:
    """The smallest rank of an axis that keeps an energy."""
    return len(shares) if len(shares) <= FEW else min(int(np.searchsorted(shares, energy - ROUNDING)) + 1, len(shares))


def _is_cheaper(layer: keras.layers.Layer, ranks: list[int]) -> bool:
    """Whether the factors have fewer weights than the layer.

    Then they have fewer mult-adds, too: all but the first one work at the resolution of the layer's output, and the
    first one at that of its input, which is not larger.
    """
    *_, inputs, outputs = layer.get_weights()[0].shape
    if len(ranks) == 1:
        return ranks[0] * (inputs + outputs) < inputs * outputs
    first, second = ranks
    return inputs * first + SIDE**2 * first * second + second * outputs < SIDE**2 * inputs * outputs


def _chain(layer: keras.layers.Layer, ranks: list[int]) -> list[keras.layers.Layer]:
    """The layers of the factors. The last one has the bias and the activation."""
    first, last = ranks[0], ranks[-1]
    policy = layer.dtype_policy
    if isinstance(layer, keras.layers.Dense):
        return [keras.layers.Dense(first, use_bias=False, dtype=policy), like(layer, keras.layers.Dense)]
    narrow = keras.layers.Conv2D(first, 1, use_bias=False, dtype=policy)
    if isinstance(layer, UpsampleConv2D):
        wide = keras.layers.Conv2D(layer.filters, 1, dtype=policy)
        return [narrow, UpsampleConv2D(last, dtype=policy), wide]
    core = keras.layers.Conv2D(last, SIDE, padding=layer.padding, use_bias=False, dtype=policy)
    return [narrow, core, like(layer, keras.layers.Conv2D, kernel_size=1)]


def _weights(layer: keras.layers.Layer, ranks: list[int]) -> list[list[np.ndarray]]:
    """The weights of the layers of `_chain`."""
    kernel, *bias = layer.get_weights()
    weights = [[factor] for factor in (_svd(kernel, *ranks) if kernel.ndim == 2 else _tucker(kernel, ranks))]
    if isinstance(layer, UpsampleConv2D):
        weights[1].append(np.zeros(ranks[-1]))  # its bias, which the factors do not need
    weights[-1] += bias
    return weights


def _svd(kernel: np.ndarray, rank: int) -> list[np.ndarray]:
    """Two factors of a matrix, [inputs, rank] and [rank, outputs], of equal norms."""
    left, values, right = np.linalg.svd(kernel.astype(np.float64), full_matrices=False)
    scale = np.sqrt(values[:rank])
    return [left[:, :rank] * scale, scale[:, np.newaxis] * right[:rank]]


def _tucker(kernel: np.ndarray, ranks: list[int]) -> list[np.ndarray]:
    """Three factors of a kernel [3, 3, inputs, outputs]: kernels of 1x1, 3x3 and 1x1."""
    try:
        from tensorly.decomposition import partial_tucker
    except ImportError as error:
        raise UserError(f"Factorize needs tensorly: pip install 'akdg_tf[compression]' ({error})") from None
    (core, (inputs, outputs)), _ = partial_tucker(kernel.astype(np.float64), ranks, modes=[2, 3], n_iter_max=ITERATIONS)
    return [inputs[np.newaxis, np.newaxis], core, outputs.T[np.newaxis, np.newaxis]]
