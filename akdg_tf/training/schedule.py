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
        pictures_every: report intervals between two pictures, and between two sets of histograms.
        steps_per_execution: steps run between two returns to Python, on one replica; divides `report_every`.
        profile_steps: (first, last) of the steps that are profiled, both included, as the log counts: 1 is the first
            of the run. None: none.

    Raises:
        UserError: an interval does not divide the run, the batch does not divide among the strategy's replicas, or the
            steps to profile are not steps of the run.
    """

    steps: int
    batch_size: int
    report_every: int
    pictures_every: int = 1
    steps_per_execution: int = 1
    profile_steps: tuple[int, int] | None = None

    def __post_init__(self):
        counts = {name: value for name, value in vars(self).items() if name != "profile_steps"}
        for name, value in counts.items():
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
        if self.profile_steps is not None:
            self._check_profile()

    def _check_profile(self):
        steps = self.profile_steps
        pair = isinstance(steps, tuple | list) and len(steps) == 2 and all(type(step) is int for step in steps)
        if not pair or not 1 <= steps[0] <= steps[1] <= self.steps:
            raise UserError(f"profile_steps {steps!r} must be (first, last), 1 <= first <= last <= {self.steps} steps")

    def smoke(self) -> "Schedule":
        """The schedule of a smoke run: few steps, a report and a picture halfway; a later profile moves to its end."""
        profile = self.profile_steps
        if profile:
            back = max(0, profile[1] - SMOKE_STEPS)
            profile = (max(1, profile[0] - back), profile[1] - back)
        return Schedule(SMOKE_STEPS, self.batch_size, SMOKE_STEPS // 2, profile_steps=profile)
