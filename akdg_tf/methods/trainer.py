"""The training step that all methods share: a generator against any number of adversaries."""

import functools
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import keras
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.methods import batch, checks
from akdg_tf.methods.adversary import Adversary
from akdg_tf.methods.batch import Batch
from akdg_tf.methods.optimizers import Optimizers, state_of, with_zeros
from akdg_tf.shares import accumulated, share_of_mean

SAVING = (
    "a method is not saved as a whole: akdg_tf.export(model, folder) writes its averaged generator as a SavedModel, "
    "model.generator.save(path) the generator as it is"
)
INDIVISIBLE = "d_steps and micro_batches do not divide the batch"


class Method(Protocol):
    """A callable that makes the trainer of a generator, such as the class `AKDG`. An experiment calls it.

    Attributes:
        teacher_role: the Protocol that its `teacher` must satisfy, one of those in `teachers.sources`; None if it takes
            no teacher.
        uses_real_images: whether the trainer reads the images that `fit` is given, and not only their number.
    """

    teacher_role: type | None
    uses_real_images: bool
    __name__: str

    def __call__(self, generator: keras.Model, *, seed: int, **parts) -> "GeneratorTrainer":
        """Makes the trainer. A method with a `teacher_role` is given its teacher as `teacher`."""


class GeneratorTrainer(keras.Model):
    """Trains a generator; compiled and fitted like any Keras model.

    `fit` takes a dataset of real images, float32 [batch * d_steps, *sample_shape] in [-1, 1]. Labels beside them are
    used if the generator is class-conditional, and ignored otherwise: int [batch * d_steps], in [0, classes). Each
    of the `d_steps` discriminator steps uses its own part of the batch. Latents and the lazy penalty depend only on the
    seed and the number of the discriminator step. Latents are drawn for the global batch: N replicas together see what
    one would.

    Args:
        generator: maps latents [n, latent_dim] to images; a Keras model that can be serialized. If it has a positive
            attribute `classes`, its last latents are the label (`Generator.classes`), and the discriminators must be
            conditional, too.
        adversaries: the discriminators that the generator is trained against.
        d_steps: discriminator steps per generator step.
        ema_decay: decay of the exponential moving average of the generator's weights and batch statistics.
        seed: seed of the latents.

    Attributes:
        teacher_role: the Protocol that the method's `teacher` must satisfy, one of those in `teachers.sources`; None if
            the method takes no teacher.
        uses_real_images: whether the method reads the images that `fit` is given, and not only their number.

    Raises:
        ValueError: d_steps < 1, or ema_decay outside [0, 1).
    """

    teacher_role: ClassVar[type | None] = None
    uses_real_images: ClassVar[bool] = True

    def __init__(
        self, generator: keras.Model, adversaries: Sequence[Adversary], d_steps: int, ema_decay: float, seed: int
    ):
        super().__init__()
        if d_steps < 1 or not 0 <= ema_decay < 1:
            raise ValueError(f"d_steps must be at least 1 and ema_decay in [0, 1), not {d_steps} and {ema_decay}")
        checks.check_generator(generator)
        for adversary in adversaries:
            checks.check_discriminator(adversary.discriminator, f"the discriminator of {adversary.name}", generator)
        self.generator = generator
        self.adversaries = list(adversaries)
        self.d_steps, self.ema_decay, self.seed = d_steps, ema_decay, seed
        self.micro_batches = 1  # set by `compile`
        self.latent_dim, self.prior = latents.latent_dim_of(generator), latents.prior_of(generator)
        self.ema_generator = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(generator))
        self.ema_generator.trainable = False
        self.trackers: dict[str, keras.metrics.Metric] = {}
        self.step_counter: keras.Variable = None  # created by `build`

    def build(self, input_shape=None):
        """Creates all variables; called by `compile`."""
        z = tf.zeros((2, self.latent_dim))
        images = self.generator(z)
        self.ema_generator(z)
        self.ema_generator.set_weights(self.generator.get_weights())
        for adversary in self.adversaries:
            adversary.build(images.shape)
        self.trackers = {name: keras.metrics.Mean(name) for name in self.log_names()}
        self.step_counter = self.add_weight(
            name="step", dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica"
        )
        self.built = True

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: keras.optimizers.Optimizer | None = None,
        steps_per_execution: int = 1,
        micro_batches: int = 1,
        run_eagerly: bool = False,
        jit_compile: bool = False,
    ) -> None:
        """Creates the variables of the networks and of their optimizers.

        Args:
            generator_optimizer: see `Optimizers.generator`.
            discriminator_optimizer: see `Optimizers.discriminator`.
            steps_per_execution: steps between returns to Python. On several replicas it is always 1, because Keras
                3.15 fails there with more ("You must feed a value for placeholder tensor").
            micro_batches: equal parts in which each replica computes its share of a batch, one after the other. Their
                gradients are summed, and each optimizer takes one step. Memory falls with their number, and the
                generator computes its images twice. Batch normalization uses the statistics of a micro-batch, and its
                moving averages are updated twice per micro-batch.
            run_eagerly: runs without tf.function, for debugging.
            jit_compile: compiles with XLA; works on one replica only.

        Raises:
            ValueError: an optimizer accumulates gradients (`micro_batches` does that here), or micro_batches < 1.
        """
        if micro_batches < 1:
            raise ValueError(f"micro_batches must be at least 1, not {micro_batches}")
        self.micro_batches = micro_batches
        optimizers = Optimizers(generator_optimizer, discriminator_optimizer)
        if self.distribute_strategy.num_replicas_in_sync > 1:
            steps_per_execution = 1
        generator_optimizer = optimizers.generator or keras.optimizers.Adam(5e-4, beta_1=0.0, beta_2=0.99)
        super().compile(
            generator_optimizer,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
            jit_compile=jit_compile,
        )
        config = keras.optimizers.serialize(optimizers.discriminator or generator_optimizer)
        with self.distribute_strategy.scope():
            if not self.built:
                self.build()
            self.optimizer.build(self.generator.trainable_variables)
            for adversary in self.adversaries:
                adversary.compile(keras.optimizers.deserialize(config))

    def fit(self, x=None, *args, **kwargs):
        """Trains as `keras.Model.fit` does, after a look at the first batch.

        Raises:
            ValueError: there are no images, they are not of the generator's shape and in [-1, 1], or `d_steps` times
                `micro_batches` does not divide a batch.
        """
        checks.check_images(x, latents.sample_shape_of(self.generator))
        try:
            return super().fit(x, *args, **kwargs)
        except tf.errors.InvalidArgumentError as error:
            if INDIVISIBLE not in str(error):
                raise
            parts = f"d_steps * micro_batches = {self.d_steps * self.micro_batches}"
            raise ValueError(
                f"{parts} does not divide a batch of the images: use batch(size, drop_remainder=True), size a multiple"
            ) from None

    def save(self, *args, **kwargs):
        """Refuses.

        Raises:
            ValueError: always; the message names what saves a trained generator.
        """
        raise ValueError(SAVING)

    def export(self, *args, **kwargs):
        """Refuses, like `save`."""
        raise ValueError(SAVING)

    def call(self, z, training=False):
        """Images of the averaged generator, [n, *sample_shape]."""
        return self.ema_generator(z, training=training)

    @property
    def step(self) -> tf.Tensor:
        """Generator updates done so far, int64 scalar."""
        return tf.convert_to_tensor(self.step_counter)

    def set_step(self, step: int) -> None:
        """Sets the step that training continues from. Latents and lazy penalties follow from it."""
        self.step_counter.assign(step)

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The generator's optimizer, then each adversary's."""
        return [self.optimizer, *(adversary.optimizer for adversary in self.adversaries)]

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The networks that are trained: "generator", and each discriminator under its adversary's name."""
        return {"generator": self.generator, **{each.name: each.discriminator for each in self.adversaries}}

    @property
    def state(self) -> dict[str, list[keras.Variable]]:
        """All variables that training continues from, by group: networks, optimizers ("<network>_optimizer"), the step.

        Learning rates are not included: they are configuration.
        """
        networks = {**self.networks, "ema_generator": self.ema_generator}
        groups = {name: list(network.variables) for name, network in networks.items()}
        groups |= {name: state_of(optimizer) for name, optimizer in self._optimizers_by_group().items()}
        return {**groups, "step": [self.step_counter]}

    @property
    def optimizer_classes(self) -> dict[str, str]:
        """Class name of each optimizer, by its group in `state`."""
        return {name: type(optimizer).__name__ for name, optimizer in self._optimizers_by_group().items()}

    def _optimizers_by_group(self) -> dict[str, keras.optimizers.Optimizer]:
        names = (f"{name}_optimizer" for name in self.networks)
        return dict(zip(names, self.optimizers, strict=True))

    @property
    def metrics(self):
        return list(self.trackers.values())

    def log_names(self) -> list[str]:
        """Names of the scalars that `train_step` logs; each is a mean over replicas and over the epoch.

        Of several discriminator steps per step, the last one is logged.
        """
        return ["g/loss", *(f"{adversary.name}/{key}" for adversary in self.adversaries for key in Adversary.LOGS)]

    def references(self, real: Batch, step: tf.Tensor) -> list[Batch]:
        """The images that each adversary compares with the generator's, in the order of `adversaries`."""
        return [real]

    def draw_latents(self, count: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """This replica's latents for discriminator step `step`, float32 [count, latent_dim]."""
        return latents.draw(self.prior, count, self.latent_dim, (self.seed, latents.STUDENT), step)

    def latents_by_network(self, count: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
        """This replica's latents for a discriminator step, float32 [count, size], by the network that uses them."""
        return {"student": self.draw_latents(count, step)}

    def generate(self, count: tf.Tensor, step: tf.Tensor) -> Any:
        """What the generator makes for discriminator step `step`: its images, float32 [count, *sample_shape].

        It is recorded, and `generator_loss` is computed of it. A method without adversaries may give any nested
        structure of tensors.
        """
        return self.generator(self.draw_latents(count, step), training=True)

    def generator_loss(self, images: Any, step: tf.Tensor) -> tf.Tensor:
        """L(G) = sum_i weight_i * L_adv(adversary_i) on the images of `step`, one value per example, [n]."""
        generated = self._generated(images, step)
        pairs = zip(self.adversaries, self._uniform(generated.size, step), strict=True)
        losses = [each.weight_at(self.step) * each.generator_loss(generated, numbers) for each, numbers in pairs]
        return tf.add_n(losses)

    def _generated(self, images: tf.Tensor, step: tf.Tensor) -> Batch:
        """The generator's images of `step`, with the labels that are part of their latents."""
        if not latents.classes_in(self.prior):
            return Batch(images)
        return Batch(images, latents.labels_in(self.draw_latents(tf.shape(images)[0], step), self.prior))

    def train_step(self, data):
        """Takes `d_steps` steps of every adversary, then one generator step on the last images that they saw."""
        real = batch.given(data, latents.classes_in(self.prior) if self.uses_real_images else 0)
        if self.d_steps * self.micro_batches > 1:
            tf.debugging.assert_equal(real.size % (self.d_steps * self.micro_batches), 0, INDIVISIBLE)
        logs = {}
        for k in range(self.d_steps):
            step = self.step * self.d_steps + k
            part = real.rows(slice(k, None, self.d_steps))
            forward = self._forward(part.size // self.micro_batches, step)
            logs |= self._update_adversaries(part, forward, step)
        logs["g/loss"] = self._update_generator(forward, step)
        self.step_counter.assign_add(1)
        self._update_average()
        for name, tracker in self.trackers.items():
            tracker.update_state(logs[name])
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    def _forward(self, count, step):
        """A function that records a forward pass of `count` images and returns (tape, what `generate` gives).

        Discriminators and generator share one pass. With several micro-batches a pass is computed for each of the two,
        so that none has to be kept.
        """

        def record():
            with tf.GradientTape() as tape:
                generated = self.generate(count, step)
            return tape, generated

        return record if self.micro_batches > 1 else functools.cache(record)

    def _update_adversaries(self, real, forward, step):
        """Takes one step of every adversary; returns what they log."""
        count = real.size // self.micro_batches

        def gradients(i):
            _, images = forward()
            generated = self._generated(images, step)
            references = self.references(real.rows(slice(i * count, (i + 1) * count)), step)
            uniform = self._uniform(count, step)
            pairs = zip(self.adversaries, references, uniform, strict=True)
            return [each.gradients(reference, generated, step, numbers) for each, reference, numbers in pairs]

        logs = {}
        if self.adversaries:
            zeros = [adversary.no_gradients() for adversary in self.adversaries]
            found = accumulated(gradients, zeros, self.micro_batches)
            for adversary, (of_adversary, adversary_logs) in zip(self.adversaries, found, strict=True):
                adversary.apply(of_adversary)
                logs |= adversary_logs
        return logs

    def _uniform(self, count, step):
        """Random numbers in [0, 1) for each adversary, float32 [count, its random_numbers]."""
        numbers = [adversary.random_numbers for adversary in self.adversaries]
        drawn = latents.draw("uniform", count, sum(numbers), (self.seed, latents.ADVERSARIES), step)
        return tf.split(0.5 * (drawn + 1.0), numbers, axis=1)

    def _update_generator(self, forward, step):
        """Takes one generator step on the images of `forward`; returns the loss on this replica."""
        variables = self.generator.trainable_variables

        def gradients(_):
            tape, generated = forward()
            with tf.GradientTape() as loss_tape:
                loss_tape.watch(generated)
                loss = self.generator_loss(generated, step)
                share = share_of_mean(loss)
            upstream = loss_tape.gradient(share, generated)
            found = with_zeros(tape.gradient(generated, variables, output_gradients=upstream), variables)
            return found, tf.reduce_mean(loss) / self.micro_batches

        zeros = [tf.zeros(variable.shape) for variable in variables], tf.zeros(())
        found, loss = accumulated(gradients, zeros, self.micro_batches)
        self.optimizer.apply(found, variables)
        return loss

    def _update_average(self):
        """Updates the EMA of weights and batch-norm statistics. Its decay warms up, so that early weights fade fast.

        The constraints of the weights hold for their averages, too, wherever training started from.
        """
        step = tf.cast(self.step, tf.float32)
        decay = tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        for average, variable in zip(self.ema_generator.variables, self.generator.variables, strict=True):
            average.assign_sub((1.0 - decay) * (average - variable))
            if variable.constraint:
                average.assign(variable.constraint(average))
