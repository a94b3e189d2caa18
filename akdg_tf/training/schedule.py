"""How long a run trains and how often it reports: one checked value that experiments, loop and callbacks share."""

import dataclasses

import tensorflow as tf

from akdg_tf.errors import UserError

SMOKE_STEPS = 20
COUNTS = ("steps", "batch_size", "report_every", "pictures_every", "steps_per_execution")


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Steps of a run and its intervals; made under the strategy's scope.

    Attributes:
        steps: of the whole run.
        batch_size: images per discriminator step, over all replicas.
        report_every: steps between two log lines and checkpoints, one epoch of `fit`; divides `steps`.
        pictures_every: report intervals between two pictures, and between two sets of histograms.
        steps_per_execution: steps run between two returns to Python, on one replica; divides `report_every`.
        profile_steps: (first, last) of the steps that are profiled for TensorBoard, both included, as the log counts: 1
            is the first of the run. None: none.
        keep_every: checkpoints of every so many steps are kept for good; a multiple of `report_every`. None: the newest
            three alone.
        cpu_budget: the gin file that scales the experiment down, named where there is no accelerator.

    Raises:
        UserError: an interval does not divide the run, the batch does not divide among the strategy's replicas, or the
            steps to profile are not steps of the run.
    """

    steps: int
    batch_size: int = 64
    report_every: int = 100
    pictures_every: int = 5
    steps_per_execution: int = 1
    profile_steps: tuple[int, int] | None = None
    keep_every: int | None = None
    cpu_budget: str | None = None

    def __post_init__(self):
        for name in COUNTS if self.keep_every is None else (*COUNTS, "keep_every"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise UserError(f"{name} is {value!r}: it must be a whole number above 0")
        if self.steps % self.report_every or self.report_every % self.steps_per_execution:
            raise UserError(
                f"steps {self.steps} must be a multiple of report_every {self.report_every}, "
                f"and that of steps_per_execution {self.steps_per_execution}"
            )
        if self.keep_every and self.keep_every % self.report_every:
            raise UserError(f"keep_every {self.keep_every} must be a multiple of report_every {self.report_every}")
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

    def check_start(self, start: int) -> None:
        """Checks the step that a warm start begins at.

        Raises:
            UserError: it is not below `steps`, or not a multiple of `report_every`.
        """
        if start >= self.steps:
            raise UserError(f"training begins at step {start}, but Schedule.steps is {self.steps}: bind more steps")
        if start % self.report_every:
            raise UserError(
                f"training begins at step {start}: Schedule.report_every {self.report_every} must divide it"
            )

    def smoke(self) -> "Schedule":
        """The schedule of a smoke run: few steps, a report and a picture halfway; a later profile moves to its end."""
        profile = self.profile_steps
        if profile:
            back = max(0, profile[1] - SMOKE_STEPS)
            profile = (max(1, profile[0] - back), profile[1] - back)
        return Schedule(SMOKE_STEPS, self.batch_size, SMOKE_STEPS // 2, 1, profile_steps=profile)
