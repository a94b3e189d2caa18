"""A classifier experiment from end to end: the network that offline metrics are computed over."""

import dataclasses
import functools
import logging

import gin
import keras
import numpy as np
import tensorflow as tf

from akdg_tf import data
from akdg_tf.artifacts.counting import count_cost
from akdg_tf.artifacts.measure import folder_size
from akdg_tf.artifacts.saved_model import detached_copy, export_classifier
from akdg_tf.data.images import ImageArrays, shifted_and_flipped, to_float
from akdg_tf.errors import UserError
from akdg_tf.metrics.classifiers import load_classifier
from akdg_tf.training.loop import fit_to_the_end, restore_finished
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.tensorboard import weights_by_tag
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)

SHIFT = 2  # pixels that an augmented image moves at most
PARTITION_SEED = 0  # one and the same held-out set for every seed of the weights


class ClassifierExperiment:
    """Trains, exports and tests one classifier; made under the strategy's scope.

    Args:
        run: folder, name, seed.
        classifier: network: images to {"logits", "features"}.
        dataset: name of a registered dataset of labelled images.
        held_out: training images kept from training, to test on; 0: the dataset has a test split of its own.
        augment: train on images shifted by up to 2 pixels and flipped, at random.
        optimizer: default Adam(1e-3).
        steps: of training.
        batch_size: images a step.
        report_every: steps between two log lines and checkpoints.
        profile_steps: (first, last) of the steps that are profiled for TensorBoard, both included, 1 the first of all.
    """

    def __init__(
        self,
        run: Run,
        classifier: keras.Model = gin.REQUIRED,
        dataset: str = gin.REQUIRED,
        held_out: int = 0,
        augment: bool = False,
        optimizer: keras.optimizers.Optimizer | None = None,
        steps: int = gin.REQUIRED,
        batch_size: int = 128,
        report_every: int = 100,
        profile_steps: tuple[int, int] | None = None,
    ):
        schedule = Schedule(steps, batch_size, report_every, profile_steps=profile_steps)
        self.schedule = schedule.smoke() if run.smoke else schedule
        self.run, self.classifier, self.batch_size = run, classifier, batch_size
        self.steps, self.augment = self.schedule.steps, augment
        self.dataset_name, self.held_out = data.check_name(dataset), held_out
        loss = {"logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
        classifier.compile(optimizer or keras.optimizers.Adam(), loss)
        classifier.optimizer.build(classifier.trainable_variables)

    @functools.cached_property
    def splits(self) -> tuple[ImageArrays, ImageArrays]:
        """The images to train on, and those to test on."""
        dataset = data.load_dataset(self.dataset_name, self.run.data_dir)
        if not isinstance(dataset, ImageArrays):
            raise UserError(f"dataset {dataset.name!r} has no labels to learn")
        if self.held_out:
            return dataset.partition(self.held_out, PARTITION_SEED)
        if dataset.test is None:
            raise UserError(f"dataset {dataset.name!r} has no test split: bind ClassifierExperiment.held_out")
        return dataset, dataset.test

    def prepare_data(self, evaluating: bool) -> None:
        """Loads the data."""
        _ = self.splits

    def prepare(self) -> None:
        """Nothing: all has been built."""

    def describe(self, teacher: dict | None = None) -> dict[str, dict]:
        """Cost of the classifier."""
        network = self.classifier
        cost = count_cost(network, network.sample_shape, network.variables, network.trainable_variables)
        return {"classifier": dataclasses.asdict(cost)}

    def train(self) -> None:
        """Trains to `steps`, from the last checkpoint if there is one."""
        tensors = weights_by_tag({"classifier": self.classifier})
        fit_to_the_end(self.classifier, self._batch, self.run, self.schedule, lambda step: tensors)

    def _batch(self, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Images and labels of a step; what is done to them follows from (seed, step) too."""
        images, labels = self.splits[0].labelled_batch(step, self.batch_size, self.run.seed)
        return shifted_and_flipped(images, SHIFT, self.run.seed, step) if self.augment else images, labels

    def export(self) -> None:
        """Writes the classifier of the last checkpoint as `saved_model/`."""
        restore_finished(self.classifier, self.steps, self.run)
        name = self.run.experiment.replace("_", "-") + "-smoke" * self.run.smoke
        meta = {"id": name, "smoke": self.run.smoke}
        export_classifier(detached_copy(self.classifier), self.run.path("saved_model"), meta)
        logger.info("exported %s", self.run.path("saved_model"))

    def evaluate(self) -> dict:
        """Accuracy of the exported classifier on the held-out images; what `result.json` holds."""
        if not self.run.path("saved_model").exists():
            self.export()
        classifier = load_classifier(str(self.run.path("saved_model")))
        _, test_set = self.splits
        logits, _ = classifier.activations(to_float(test_set.images).numpy())
        correct = np.argmax(logits, -1) == test_set.labels
        accuracy = {"value": float(np.mean(correct)), "n_real": test_set.size, "n_fake": 0}
        accuracy |= {"classifier": self.run.experiment.replace("_", "-"), "split": test_set.split}
        accuracy |= {"resize": "none", "seed": PARTITION_SEED}
        head = {"experiment": self.run.experiment, "network": type(self.classifier).__name__, "method": "classifier"}
        head |= {"dataset": f"{self.dataset_name}, {self.splits[0].split}", "seed": self.run.seed}
        head |= {"gin_files": self.run.gin_files, "command": self.run.command()}
        metrics = {"accuracy": accuracy}
        size = folder_size(self.run.path("saved_model"))
        classifier = {**self.describe()["classifier"], "file_size": size, "metrics": metrics}
        return {**head, "steps": self.steps, "smoke": self.run.smoke, "classifier": classifier, "metrics": metrics}
