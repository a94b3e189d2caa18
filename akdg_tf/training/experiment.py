"""A generator experiment from end to end: what the gin file binds, and the stages that `run.py` runs."""

import dataclasses
import functools
from collections.abc import Callable

import gin
import keras
import numpy as np
import tensorflow as tf
from absl import logging

from akdg_tf import data, pictures
from akdg_tf.counting import count_model
from akdg_tf.errors import UserError
from akdg_tf.export import detached_copy, export_generator
from akdg_tf.latents import sample
from akdg_tf.methods.base import GeneratorTrainer
from akdg_tf.metrics import Evaluation
from akdg_tf.teachers import Teacher
from akdg_tf.training.callbacks import History, Pictures, Progress, SaveCheckpoints
from akdg_tf.training.checkpoints import Checkpoints
from akdg_tf.training.workdir import Run

SMOKE_STEPS = 20
PICTURE_SAMPLES = {3: 64, 1: 2000}  # rank of a sample to how many a picture shows


@gin.register
class GeneratorExperiment:
    """Trains, exports and evaluates one generator; made under the strategy's scope.

    Args:
        run: folder, name, seed.
        generator: the generator to train.
        method: makes the trainer of the generator: GAN, AKDG or MSEDistillation, its other parts bound by gin.
        dataset: name of a registered dataset.
        evaluation: scores the exported generator; see `metrics`.
        teacher: loads the teacher shown and scored beside the student; None where the experiment makes a teacher.
        generator_optimizer: of the generator.
        discriminator_optimizer: copied for each discriminator; by default as the generator's.
        steps: generator steps.
        batch_size: images a discriminator step, over all replicas.
        report_every: steps between two log lines and checkpoints; divides `steps`.
        pictures_every: log intervals between two pictures in TensorBoard.
        steps_per_execution: steps run between two returns to Python; divides `report_every`.
    """

    def __init__(
        self,
        run: Run,
        generator: keras.Model = gin.REQUIRED,
        method: Callable[..., GeneratorTrainer] = gin.REQUIRED,
        dataset: str = gin.REQUIRED,
        evaluation: Evaluation = gin.REQUIRED,
        teacher: Callable[[], Teacher] | None = None,
        generator_optimizer: keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: keras.optimizers.Optimizer | None = None,
        steps: int = gin.REQUIRED,
        batch_size: int = 64,
        report_every: int = 100,
        pictures_every: int = 5,
        steps_per_execution: int = 1,
    ):
        self.strategy = tf.distribute.get_strategy()
        replicas = self.strategy.num_replicas_in_sync
        if run.smoke:
            steps, report_every, steps_per_execution = SMOKE_STEPS, SMOKE_STEPS // 2, 1
        if steps % report_every or report_every % steps_per_execution:
            raise UserError(
                f"steps {steps} must be a multiple of report_every {report_every}, "
                f"and that of steps_per_execution {steps_per_execution}"
            )
        if batch_size % replicas:
            raise UserError(f"batch_size {batch_size} does not divide among {replicas} replicas")
        self.run, self.generator, self.method, self.evaluation = run, generator, method, evaluation
        self.dataset = data.load_dataset(dataset, run.data_dir)
        self.make_teacher = teacher
        self.optimizers = (generator_optimizer, discriminator_optimizer)
        self.steps, self.batch_size, self.report_every = steps, batch_size, report_every
        self.pictures_every, self.steps_per_execution = pictures_every, steps_per_execution

    @functools.cached_property
    def trainer(self) -> GeneratorTrainer:
        """The compiled trainer, at its last checkpoint if there is one."""
        with self.strategy.scope():
            trainer = self.method(self.generator, seed=self.run.seed)
            trainer.compile(*self.optimizers, self.steps_per_execution)
        return trainer

    @functools.cached_property
    def checkpoints(self) -> Checkpoints:
        """The trainer's checkpoints."""
        return Checkpoints(self.trainer, self.run.path("checkpoints"))

    @functools.cached_property
    def teacher(self) -> Teacher | None:
        """The teacher to compare with; None where the experiment makes one."""
        with self.strategy.scope():
            return self.make_teacher and self.make_teacher()

    def describe(self, teacher: dict | None = None) -> dict[str, dict | None]:
        """Costs of teacher and student.

        Args:
            teacher: the cost of a teacher that is not there yet.
        """
        if teacher is None and self.teacher:
            teacher = dataclasses.asdict(self.teacher.cost())
        return {"teacher": teacher, "student": dataclasses.asdict(count_model(self.generator))}

    def train(self) -> None:
        """Trains to `steps`, from the last checkpoint if there is one."""
        start = self.checkpoints.restore()
        if start >= self.steps:
            logging.info("training is done: step %d in %s", start, self.run.workdir)
            return
        if start:
            logging.info("resuming at step %d of %d from %s", start, self.steps, self.run.workdir)
        history = History(self.run.path("metrics.jsonl"), self.run.path("events"), self.report_every, start)
        self.trainer.fit(
            data.batches(self.dataset, self.batch_size * self.trainer.d_steps, self.run.seed, start, self.steps),
            epochs=self.steps // self.report_every,
            initial_epoch=start // self.report_every,
            steps_per_epoch=self.report_every,
            verbose=0,
            shuffle=False,
            callbacks=[
                Progress(self.report_every, self.steps, self.batch_size),
                history,
                Pictures(self.picture, history.writer, self.report_every, self.pictures_every),
                SaveCheckpoints(self.checkpoints, self.report_every),
            ],
        )

    def picture(self) -> np.ndarray:
        """Real samples, the teacher's and the averaged generator's, from fixed latents, side by side."""
        count = PICTURE_SAMPLES[len(self.dataset.sample_shape)]
        panels = {f"real ({self.dataset.name})": self.dataset.reals(count, seed=0)}
        if self.teacher:
            panels["teacher"] = sample(self.teacher, self.teacher.prior, self.teacher.latent_dim, count, self.run.seed)
        generator = functools.partial(self.trainer.ema_generator, training=False)
        panels[self.run.experiment] = sample(generator, "normal", self.trainer.latent_dim, count, self.run.seed)
        return pictures.side_by_side(panels)

    def export(self) -> None:
        """Writes the averaged generator of the last checkpoint as `saved_model/`."""
        if not self.checkpoints.restore():
            raise UserError(f"{self.run.workdir} holds no checkpoint to export: run --stage=train first")
        output_range = (0, 1) if len(self.dataset.sample_shape) == 3 else (-1, 1)
        export_generator(detached_copy(self.trainer.ema_generator), self.run.path("saved_model"), output_range)
        logging.info("exported %s", self.run.path("saved_model"))
