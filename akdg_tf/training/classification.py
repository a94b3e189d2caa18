"""A classifier experiment from end to end. Offline metrics are computed over the classifier."""

import dataclasses
import functools
import logging
from typing import Any

import gin
import keras
import numpy as np
import tensorflow as tf

from akdg_tf import data
from akdg_tf.artifacts import network
from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.artifacts.measure import folder_size
from akdg_tf.artifacts.result import Network, Result, Score
from akdg_tf.artifacts.saved_model import detached_copy, export_classifier
from akdg_tf.data.images import ImageArrays, shifted_and_flipped, to_float
from akdg_tf.errors import UserError
from akdg_tf.methods.optimizers import check_settings, state_of
from akdg_tf.metrics.classifiers import load_classifier
from akdg_tf.models.counting import count_cost
from akdg_tf.shares import share
from akdg_tf.training import inputs
from akdg_tf.training.loop import fit_to_the_end
from akdg_tf.training.record import result_of
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.tensorboard import weights_by_tag
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)

SHIFT = 2  # maximum shift of an augmented image, in pixels
GROUP = "classifier"  # name of the group of its weights in a checkpoint
PARTITION_SEED = 0  # the held-out set is the same for every seed of the weights


class ClassifierExperiment:
    """Trains, exports and tests one classifier. Implements `experiment.Experiment`.

    It must be made under the strategy's scope.

    Args:
        run: folder, name, seed.
        classifier: network that maps images to {"logits", "features"}.
        dataset: name of a registered dataset of labelled images.
        held_out: number of training images that are kept for testing; 0 tests on the dataset's test split.
        augment: shifts each training image at random, by up to 2 pixels, and flips half of them.
        optimizer: by default Adam(1e-3).
        schedule: steps and intervals.

    Raises:
        UserError: no dataset has this name, or the schedule has micro-batches or a curve.
    """

    def __init__(
        self,
        run: Run,
        classifier: keras.Model = gin.REQUIRED,
        dataset: str = gin.REQUIRED,
        held_out: int = 0,
        augment: bool = False,
        optimizer: keras.optimizers.Optimizer | None = None,
        schedule: Schedule = gin.REQUIRED,
    ):
        for name, value in (("micro_batches", schedule.micro_batches > 1), ("curve_every", schedule.curve_every)):
            if value:
                raise UserError(f"a classifier is trained without Schedule.{name}: do not bind it")
        self.schedule = schedule.smoke() if run.smoke else schedule
        self.run, self.classifier, self.augment = run, classifier, augment
        self.dataset_name, self.held_out = data.check_name(dataset), held_out
        loss = {"logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
        classifier.compile(optimizer or keras.optimizers.Adam(), loss)
        check_settings(classifier.optimizer)
        classifier.optimizer.build(classifier.trainable_variables)

    @functools.cached_property
    def splits(self) -> tuple[ImageArrays, ImageArrays]:
        """Training images and test images.

        Raises:
            UserError: the data cannot be loaded, have no labels, or have no test split although `held_out` is 0; or
                `held_out` is out of range.
        """
        dataset = data.load_dataset(self.dataset_name, self.run.data_dir)
        if not isinstance(dataset, ImageArrays):
            raise UserError(f"dataset {dataset.name!r} has no labels: bind ClassifierExperiment.dataset to another one")
        if not 0 <= self.held_out < dataset.size:
            raise UserError(
                f"ClassifierExperiment.held_out is {self.held_out}: bind a number from 0 to {dataset.size - 1}"
            )
        if self.held_out:
            return dataset.partition(self.held_out, PARTITION_SEED)
        if dataset.test is None:
            raise UserError(f"dataset {dataset.name!r} has no test split: bind ClassifierExperiment.held_out")
        return dataset, dataset.test

    def prepare_data(self, evaluating: bool) -> None:
        """Loads the data; see `Experiment`."""
        _ = self.splits

    def inputs(self) -> dict[str, inputs.Input]:
        """The training images; see `Experiment`."""
        images = self.splits[0]
        return {"data": inputs.Input(images.split, images.digest())}

    def prepare(self, training: bool) -> None:
        """Does nothing: everything was built in `__init__`."""

    def describe(self, teacher: dict | None = None) -> dict[str, dict | None]:
        """Cost of the classifier; see `Experiment`."""
        return {"network": self._cost(), "teacher": None}

    def train(self) -> None:
        """Trains to the last step, from the last checkpoint if there is one."""
        classifier = self.classifier
        optimizer = type(classifier.optimizer).__name__
        if self.run.chief:
            network.write_run(self.run.workdir, {GROUP: classifier}, GROUP, {f"{GROUP}_optimizer": optimizer})
        tensors = weights_by_tag({GROUP: classifier})
        fit_to_the_end(
            classifier, self._batch, self.run, self.schedule, checkpoints=self._checkpoints(), tensors=lambda _: tensors
        )

    def _checkpoints(self) -> Checkpoints:
        optimizer = state_of(self.classifier.optimizer)
        state = {GROUP: self.classifier.variables, f"{GROUP}_optimizer": optimizer}
        return Checkpoints(state, self.run.path("checkpoints"), self.schedule.keep_every)

    def _batch(self, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """This share's images and labels of a step. Like the batch, the augmentation depends only on (seed, step)."""
        size = self.schedule.batch_size // share()[0]
        images, labels = self.splits[0].labelled_batch(step, size, self.run.seed)
        return shifted_and_flipped(images, SHIFT, self.run.seed, step) if self.augment else images, labels

    def export(self) -> None:
        """Writes the classifier of the last checkpoint as `saved_model/`.

        Raises:
            UserError: the training is not finished.
        """
        if self._checkpoints().restore() < self.schedule.steps:
            raise UserError(f"{self.run.workdir} holds no finished training: run --stage=train first")
        meta = {"id": self._id + "-smoke" * self.run.smoke, "smoke": self.run.smoke}
        export_classifier(detached_copy(self.classifier), self.run.path("saved_model"), meta)
        self.run.note_export(self.schedule.steps, {})
        logger.info("exported %s", self.run.path("saved_model"))

    @property
    def _id(self) -> str:
        """The classifier's name in the scores that are computed over it."""
        return self.run.experiment.replace("_", "-")

    def evaluate(self) -> Result:
        """Accuracy of the exported classifier on the test images; it is exported first if necessary."""
        folder = self.run.path("saved_model")
        if not self.run.has_export(self.schedule.steps, {}):
            self.export()
        training_set, test_set = self.splits
        logits, _ = load_classifier(str(folder)).activations(to_float(test_set.images).numpy())
        accuracy = Score(
            value=float(np.mean(np.argmax(logits, -1) == test_set.labels)),
            evaluation="accuracy",
            n_real=test_set.size,
            n_fake=0,
            classifier=self._id,
            dataset=self.dataset_name,
            split=test_set.split,
            resize="none",
            seed=PARTITION_SEED,
        )
        return result_of(
            self.run,
            self.schedule.steps,
            training_set,
            kind="classifier",
            method="classifier",
            network=self._network({"accuracy": accuracy}),
        )

    def _network(self, scores: dict[str, Score]) -> Network:
        """Costs and scores of the classifier."""
        size = folder_size(self.run.path("saved_model"))
        name, network = self.run.experiment, type(self.classifier).__name__
        return Network(name, network, **self._cost(), file_size=size, scores=scores)

    def _cost(self) -> dict[str, Any]:
        network = self.classifier
        cost = count_cost(network, network.sample_shape, network.variables, network.trainable_variables)
        return dataclasses.asdict(cost)
