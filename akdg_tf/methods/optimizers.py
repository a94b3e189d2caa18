"""The optimizers of a method."""

import dataclasses
import inspect
from collections.abc import Sequence

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Optimizers:
    """The optimizers of a generator and its discriminators.

    Attributes:
        generator: default Adam(5e-4, beta_1=0, beta_2=0.99).
        discriminator: copied for each adversary; default: as the generator's. A learning-rate schedule in it counts
            discriminator steps: `d_steps` per generator step.

    Raises:
        ValueError: one of them accumulates gradients, or has a setting that is not a number.
    """

    generator: keras.optimizers.Optimizer | None = None
    discriminator: keras.optimizers.Optimizer | None = None

    def __post_init__(self):
        for optimizer in (self.generator, self.discriminator):
            if optimizer is None:
                continue
            if optimizer.gradient_accumulation_steps:
                raise ValueError(
                    "gradient_accumulation_steps must be None: every micro-batch would see the same latents"
                )
            check_settings(optimizer)


def check_settings(optimizer: keras.optimizers.Optimizer) -> None:
    """Checks that no setting is a word, or None where a number is needed. Otherwise Keras would fail in the first step.

    Raises:
        ValueError: one is, or the schedule of the learning rate gives no number.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of one that scales the loss
    kind = type(optimizer).__name__
    for name, default in _defaults(type(optimizer)).items():
        value = getattr(optimizer, name, default)
        needed = isinstance(default, float) and not name.endswith("weight_decay")
        if isinstance(value, str) or (value is None and needed):
            raise ValueError(f"{kind}.{name} is {value!r}: give a number, or True or False")
    try:
        float(tf.convert_to_tensor(optimizer.learning_rate))
    except Exception as error:  # a schedule computes with its own settings
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{kind}.learning_rate gives no number at step 0: {reason}") from error


def _defaults(kind: type) -> dict[str, object]:
    """The default of each setting of an optimizer's class and of those that it extends."""
    signatures = (inspect.signature(each).parameters for each in reversed(kind.__mro__[:-1]))
    found = {name: parameter.default for parameters in signatures for name, parameter in parameters.items()}
    return {name: default for name, default in found.items() if name not in ("name", "learning_rate", "kwargs")}


def state_of(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The variables of an optimizer that a checkpoint holds: all but the learning rate, which is configuration."""
    rate = optimizer.learning_rate
    return [variable for variable in optimizer.variables if variable is not rate]


def start_anew(optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> None:
    """Gives an optimizer the state that it had before its first step. Not every optimizer's is zero: Adagrad's is not.

    Args:
        optimizer: built for `variables`.
        variables: those that it updates, in the order in which it was built for them.
    """
    fresh = type(optimizer).from_config(optimizer.get_config())
    fresh.build(variables)
    for variable, initial in zip(state_of(optimizer), state_of(fresh), strict=True):
        variable.assign(initial)


def with_zeros(gradients: Sequence[tf.Tensor | None], variables: Sequence[keras.Variable]) -> list[tf.Tensor]:
    """Gradients with zeros for the variables that have none, because they are not in use."""
    return [tf.zeros(v.shape) if g is None else g for g, v in zip(gradients, variables, strict=True)]
