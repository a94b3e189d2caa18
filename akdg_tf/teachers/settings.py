"""The arguments of `load_teacher`: each is checked and brought into a form that can be compared."""

import dataclasses
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from akdg_tf.errors import UserError
from akdg_tf.latents import PRIORS, is_prior
from akdg_tf.teachers.saved_model import Range

FROM_A_MODEL = ("latent_dim", "prior", "output_range", "inputs", "output", "layout")
TAKEN = {  # by kind of teacher; `sample_shape` is compared with what every kind gives
    "a SavedModel": (*FROM_A_MODEL, "signature", "tags"),
    "a .keras file": FROM_A_MODEL,
    "an .onnx file": FROM_A_MODEL,
    "a .tflite file": FROM_A_MODEL,
    "a Python function": ("latent_dim", "prior", "output_range", "layout"),
    "a folder of images": (),
    "an .npz file": ("prior", "output_range"),
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is bound of `load_teacher` besides the name, None where nothing is; see there.

    Raises:
        UserError: a value is not valid.
    """

    latent_dim: int | None = None
    prior: str | None = None
    output_range: Range = None
    signature: str | None = None
    inputs: Any = None
    output: str | int | None = None
    layout: str | None = None
    tags: Sequence[str] | str | None = None
    sample_shape: Sequence[int] | None = None

    def __post_init__(self):
        checked = {
            "latent_dim": _latent_dim(self.latent_dim),
            "prior": _prior(self.prior),
            "output_range": _range(self.output_range),
            "inputs": _inputs(self.inputs),
            "tags": (self.tags,) if isinstance(self.tags, str) else frozen_value(self.tags),
            "sample_shape": _shape(self.sample_shape),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        for name, value in vars(self).items():
            try:
                hash(value)
            except TypeError:
                raise UserError(f"load_teacher.{name} is {value!r}: bind a plain value") from None

    def check_kind(self, kind: str) -> None:
        """Checks that a kind of teacher takes all that is bound.

        Raises:
            UserError: it does not.
        """
        bound = {name for name, value in vars(self).items() if value is not None} - {"sample_shape"}
        others = sorted(bound - set(TAKEN[kind]))
        if others:
            raise UserError(f"load_teacher.{others[0]} does not apply to {kind}: remove it, or bind None")


def frozen_value(value: Any) -> Any:
    """A value that can be hashed: arrays, lists and tuples become nested tuples."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return tuple(map(frozen_value, value)) if isinstance(value, list | tuple) else value


def _latent_dim(value: Any) -> int | None:
    number = whole_number(value)
    if value is not None and (number is None or number < 1):
        raise UserError(f"load_teacher.latent_dim is {value!r}: bind a whole number of at least 1")
    return number


def whole_number(value: Any) -> int | None:
    """A value as an int, None if it is no whole number; True and False are none."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _prior(value: Any) -> str | None:
    if value is not None and not is_prior(value):
        raise UserError(f"load_teacher.prior is {value!r}: bind {PRIORS}")
    return value


def _range(value: Any) -> Range:
    if value is None:
        return None
    frozen = frozen_value(value)
    try:
        low, high = map(float, () if isinstance(frozen, str) else frozen)
        if -np.inf < low < high < np.inf:
            return frozen
    except (TypeError, ValueError):
        pass
    raise UserError(f"load_teacher.output_range is {value!r}: bind (smallest value, largest value)")


def _inputs(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise UserError(f"load_teacher.inputs is {value!r}: bind values by name, such as {{'truncation': 0.7}}")
    return tuple(sorted((name, frozen_value(each)) for name, each in value.items())) or None


def _shape(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    frozen = frozen_value(value)
    sizes = [whole_number(each) for each in frozen] if isinstance(frozen, tuple) else []
    if len(sizes) not in (1, 3) or not all(size and size > 0 for size in sizes):
        raise UserError(f"load_teacher.sample_shape is {value!r}: bind whole numbers, (height, width, channels)")
    return tuple(size for size in sizes if size)
