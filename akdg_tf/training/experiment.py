"""What `run.py` asks of an experiment."""

from typing import Protocol, runtime_checkable

from akdg_tf.artifacts.result import Result


@runtime_checkable
class Experiment(Protocol):
    """An experiment from end to end: `make_experiment` makes it under the strategy's scope, and the stages call it."""

    def prepare_data(self, evaluating: bool) -> None:
        """Loads the data and what they are scored with, so that what is missing shows before a teacher is trained.

        Args:
            evaluating: the scores are wanted too.

        Raises:
            UserError: something is missing, or does not fit.
        """

    def prepare(self, training: bool) -> None:
        """Builds all else that the configuration binds, so that what does not fit shows before any work is done.

        Args:
            training: a training follows.

        Raises:
            UserError: a part does not build, or does not fit the others.
        """

    def describe(self, teacher: dict | None = None) -> dict[str, dict | None]:
        """Costs: "network" is what is trained, "teacher" what it is compared with, None if there is none.

        Args:
            teacher: the cost of a teacher that is not there yet.
        """

    def train(self) -> None:
        """Trains to the last step, from the last checkpoint if there is one."""

    def export(self) -> None:
        """Writes what was trained as `saved_model/`."""

    def evaluate(self) -> Result:
        """Scores the export; what `result.json` holds."""
