"""How long a run trains and how often it reports: one checked value that experiments, loop and callbacks share."""

import dataclasses

import tensorflow as tf

from akdg_tf.errors import UserError

SMOKE_STEPS = 20


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Steps of a run and its intervals; made under the strategy's scope.

    Attributes:
        steps: of the whole run.
        batch_size: images a step, over all replicas.
        report_every: steps between two log lines and checkpoints, one epoch of `fit`; divides `steps`.
        pictures_every: report intervals between two pictures.
        steps_per_execution: steps run between two returns to Python; divides `report_every`.

    Raises:
        UserError: an interval does not divide the run, or the batch does not divide among the strategy's replicas.
    """

    steps: int
    batch_size: int
    report_every: int
    pictures_every: int = 1
    steps_per_execution: int = 1

    def __post_init__(self):
        for name, value in dataclasses.asdict(self).items():
            if not isinstance(value, int) or value < 1:
                raise UserError(f"{name} is {value!r}: it must be a whole number above 0")
        if self.steps % self.report_every or self.report_every % self.steps_per_execution:
            raise UserError(
                f"steps {self.steps} must be a multiple of report_every {self.report_every}, "
                f"and that of steps_per_execution {self.steps_per_execution}"
            )
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if self.batch_size % replicas:
            raise UserError(f"batch_size {self.batch_size} does not divide among {replicas} replicas")

    def smoke(self) -> "Schedule":
        """The schedule of a smoke run: few steps, with a report and a picture halfway."""
        return Schedule(SMOKE_STEPS, self.batch_size, SMOKE_STEPS // 2)
