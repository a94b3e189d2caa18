"""How long a run trains and how often it reports, checked when it is made."""

import dataclasses
from collections.abc import Mapping

import keras
import tensorflow as tf

from akdg_tf.errors import UserError
from akdg_tf.methods.growth import Growth

SMOKE_STEPS = 20
COUNTS = ("steps", "batch_size", "micro_batches", "report_every", "pictures_every", "steps_per_execution")


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Steps and intervals of a run; must be made under the strategy's scope.

    Attributes:
        steps: last step of the run.
        batch_size: images per discriminator step, over all replicas; a multiple of their number times `micro_batches`.
        report_every: steps per log line and checkpoint, which is one epoch of `fit`; divides `steps`.
        pictures_every: report intervals per picture and set of histograms.
        steps_per_execution: steps between two returns to Python, on one replica; divides `report_every`.
        profile_steps: first and last of the steps that are profiled for TensorBoard, both included. Steps are numbered
            as in the log, from 1. None profiles no steps.
        keep_every: the checkpoints of every `keep_every` steps are kept, besides the newest three; a multiple of
            `report_every`. None keeps only the newest three.
        curve_every: steps between evaluations during the training, see `GeneratorExperiment.curve`; a multiple of
            `report_every`. None: only the end is evaluated.
        cpu_budget: gin file that scales the experiment down; the log names it if there is no accelerator.
        micro_batches: parts of a replica's batch that are computed one after the other, for one step of each optimizer.
            A batch that does not fit into memory fits in parts. See `GeneratorTrainer.compile`.
        growth: the steps at which a growing generator and discriminator get their maps, and the batch sizes before
            `batch_size`, which is that of the full size. None: nothing grows.

    Raises:
        UserError: a count is not a positive integer, an interval is not a divisor or multiple as required, or
            `profile_steps` are not steps of the run.
    """

    steps: int
    batch_size: int = 64
    report_every: int = 100
    pictures_every: int = 5
    steps_per_execution: int = 1
    profile_steps: tuple[int, int] | None = None
    keep_every: int | None = None
    curve_every: int | None = None
    cpu_budget: str | None = None
    micro_batches: int = 1
    growth: Growth | None = None

    def __post_init__(self):
        multiples = [name for name in ("keep_every", "curve_every") if getattr(self, name) is not None]
        for name in (*COUNTS, *multiples):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise UserError(f"{name} is {value!r}: it must be a positive integer")
        if self.steps % self.report_every or self.report_every % self.steps_per_execution:
            raise UserError(
                f"steps {self.steps} must be a multiple of report_every {self.report_every}, "
                f"and report_every a multiple of steps_per_execution {self.steps_per_execution}"
            )
        for name in multiples:
            if getattr(self, name) % self.report_every:
                raise UserError(f"{name} {getattr(self, name)} must be a multiple of report_every {self.report_every}")
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        sizes = {"batch_size": self.batch_size}
        if self.growth:
            self._check_growth(self.growth)
            sizes |= {f"Growth.batch_sizes[{i}]": size for i, size in enumerate(self.growth.batch_sizes)}
        for name, size in sizes.items():
            if size % (replicas * self.micro_batches):
                raise UserError(
                    f"{name} {size} must be a multiple of replicas * micro_batches, {replicas} * {self.micro_batches}"
                )
        if self.profile_steps is not None:
            self._check_profile()

    def _check_growth(self, growth: Growth) -> None:
        if growth.steps > self.steps:
            raise UserError(f"the networks grow for {growth.steps} steps: Schedule.steps {self.steps} are too few")
        if growth.batch_sizes[-1] != self.batch_size:
            raise UserError(f"the last of Growth.batch_sizes {growth.batch_sizes} must be batch_size {self.batch_size}")
        if self.steps_per_execution > 1:
            raise UserError(f"steps_per_execution is {self.steps_per_execution}: growing networks need 1")

    def check_networks(self, networks: Mapping[str, keras.Model]) -> None:
        """Checks that the networks grow by as many maps as `growth` has.

        Raises:
            UserError: they do not.
        """
        maps = len(self.growth.batch_sizes) if self.growth else None
        for name, network in networks.items():
            found = network.maps if getattr(network, "growing", False) else None
            if found != maps:
                raise UserError(
                    f"Schedule.growth has {maps or 'no'} maps, but {name} grows by {found or 'no'} maps: bind "
                    "Schedule.growth and growing=True for the generator and the discriminator, or neither"
                )

    def batch_size_at(self, step: tf.Tensor) -> int | tf.Tensor:
        """Images per discriminator step in a step, over all replicas; a tensor only where it changes."""
        return self.growth.batch_size(step) if self.growth else self.batch_size

    def _check_profile(self):
        steps = self.profile_steps
        pair = isinstance(steps, tuple | list) and len(steps) == 2 and all(type(step) is int for step in steps)
        if not pair or not 1 <= steps[0] <= steps[1] <= self.steps:
            raise UserError(f"profile_steps {steps!r} must be (first, last), 1 <= first <= last <= {self.steps} steps")

    def check_start(self, start: int) -> None:
        """Checks the step at which training starts after a warm start.

        Raises:
            UserError: it is not less than `steps`, or not a multiple of `report_every`.
        """
        if start >= self.steps:
            raise UserError(f"training starts at step {start}, but Schedule.steps is {self.steps}: bind more steps")
        if start % self.report_every:
            raise UserError(
                f"training starts at step {start}, not a multiple of Schedule.report_every {self.report_every}: "
                f"bind a divisor of {start}"
            )

    def smoke(self) -> "Schedule":
        """The schedule of a smoke run: 20 steps, reported every 10. Profiled steps after its end move to its end."""
        profile = self.profile_steps
        if profile:
            back = max(0, profile[1] - SMOKE_STEPS)
            profile = (max(1, profile[0] - back), profile[1] - back)
        curve = self.curve_every and SMOKE_STEPS
        return dataclasses.replace(
            self,
            steps=SMOKE_STEPS,
            report_every=SMOKE_STEPS // 2,
            pictures_every=1,
            steps_per_execution=1,
            profile_steps=profile,
            keep_every=None,
            curve_every=curve,
            cpu_budget=None,
            growth=self.growth and self.growth.smoke(),
        )
