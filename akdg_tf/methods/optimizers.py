"""The optimizers of a method."""

import dataclasses
import inspect

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
    """Checks that no setting is a word, or None where that is not the default. Keras would find it in the first step.

    Raises:
        ValueError: one is, or the schedule of the learning rate gives no number.
    """
    kind, defaults = type(optimizer).__name__, inspect.signature(type(optimizer)).parameters
    for name, value in optimizer.get_config().items():
        usual = name == "name" or (name in defaults and value == defaults[name].default)
        if not usual and (value is None or isinstance(value, str)):
            raise ValueError(f"{kind}.{name} is {value!r}: give a number")
    try:
        float(tf.convert_to_tensor(optimizer.learning_rate))
    except Exception as error:  # a schedule computes with its own settings
        raise ValueError(f"{kind}.learning_rate gives no number at step 0: {str(error).splitlines()[0]}") from error


def state_of(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The variables of an optimizer that a checkpoint holds: all but the learning rate, which is configuration."""
    rate = optimizer.learning_rate
    return [variable for variable in optimizer.variables if variable is not rate]
