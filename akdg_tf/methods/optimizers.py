"""The optimizers of a method."""

import dataclasses

import keras


@dataclasses.dataclass(frozen=True)
class Optimizers:
    """The optimizers of a generator and its discriminators.

    Attributes:
        generator: default Adam(5e-4, beta_1=0, beta_2=0.99).
        discriminator: copied for each adversary; default: as the generator's. A learning-rate schedule in it counts
            discriminator steps: `d_steps` per generator step.

    Raises:
        ValueError: one of them accumulates gradients.
    """

    generator: keras.optimizers.Optimizer | None = None
    discriminator: keras.optimizers.Optimizer | None = None

    def __post_init__(self):
        for optimizer in (self.generator, self.discriminator):
            if optimizer is not None and optimizer.gradient_accumulation_steps:
                raise ValueError(
                    "gradient_accumulation_steps must be None: every micro-batch would see the same latents"
                )


def state_of(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The variables of an optimizer that a checkpoint holds: all but the learning rate, which is configuration."""
    rate = optimizer.learning_rate
    return [variable for variable in optimizer.variables if variable is not rate]
