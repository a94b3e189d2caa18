"""The interface of an experiment that the stages of `akdg run` call."""

from typing import Protocol, runtime_checkable

from akdg_tf.artifacts.result import Result
from akdg_tf.training.inputs import Input


@runtime_checkable
class Experiment(Protocol):
    """An experiment from end to end. `make_experiment` makes it under the strategy's scope."""

    def prepare_data(self, evaluating: bool) -> None:
        """Loads the data and the evaluations, so that missing ones are found before a teacher is trained.

        Args:
            evaluating: whether an evaluation follows.

        Raises:
            UserError: something is missing, or does not fit.
        """

    def inputs(self) -> dict[str, Input]:
        """What the training reads beside its configuration: "data", and "teacher" if the method learns from one.

        Raises:
            UserError: something is missing.
        """

    def prepare(self, training: bool) -> None:
        """Builds everything else that the configuration binds, so that errors are found before the work starts.

        Args:
            training: whether a training follows.

        Raises:
            UserError: a part cannot be built, or does not fit the others.
        """

    def describe(self, teacher: dict | None = None) -> dict[str, dict | None]:
        """Costs of "network", which is trained, and of "teacher", which it is compared with, None without a teacher.

        Args:
            teacher: the costs of a teacher that is not trained yet.
        """

    def train(self) -> None:
        """Trains to the last step, from the last checkpoint if there is one."""

    def export(self) -> None:
        """Writes the trained network as `saved_model/`.

        Raises:
            UserError: the training is not finished.
        """

    def evaluate(self) -> Result:
        """Scores the exported network, which is exported first if necessary.

        Returns:
            What `result.json` holds.
        """
