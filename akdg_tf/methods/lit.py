"""LIT (Koratana et al., ICML 2019): each chunk of the student imitates a longer chunk of the teacher."""

import itertools
from collections.abc import Sequence

import keras
import tensorflow as tf

from akdg_tf import latents
from akdg_tf.methods.mse import MSEDistillation
from akdg_tf.models.chunks import Chunk, chunks_of, output_of
from akdg_tf.teachers.sources import ChunkSource


class LIT(MSEDistillation):
    """L(G_S) = beta * E[(G_S(z) - G_T(z))^2] + (1 - beta) * sum_i E[(S_i(T_{i-1}(z)) - T_i(z))^2].

    T_i(z) is the output of the teacher's chunk i, T_0(z) = z, and S_i is the student's chunk i: it is fed with the
    teacher's activations, not with its own. A chunk is the residual blocks of one resolution; the layers before the
    first block and those after the last one are two more chunks. Each square is a mean over the elements of a map. The
    first term is the MSE of the images. In the paper it is the distillation loss of logits, which a generator does not
    have.

    Student and teacher have the same width and the same resolutions, and differ in the number of blocks per resolution.
    So the layers before and after the blocks have the same shapes: `compile` copies the teacher's weights to the
    student, as the authors' code does. There they stay fixed, here they are trained like all others. Batch
    normalization uses the statistics of the batch in both terms. Its moving averages follow the first term, in
    which the student is fed with its own activations, as it is when it is used.

    `fit` takes a dataset of images like the other methods, but uses only its batch size.

    Args:
        generator: the student G_S, with residual blocks.
        teacher: source of the teacher's activations.
        beta: weight of the images, in [0, 1]. The authors' code for CIFAR-10 has 0.75.
        ema_decay: decay of the moving average of the student.
        seed: seed of the latents.

    Raises:
        ValueError: the student has no residual blocks, the teacher gives no activations or maps of other shapes, its
            latents differ from the student's, or beta is outside [0, 1].
    """

    name_in_messages = "LIT"
    teacher_role = ChunkSource
    teacher: ChunkSource

    def __init__(
        self,
        generator: keras.Model,
        teacher: ChunkSource,
        beta: float = 0.75,
        ema_decay: float = 0.999,
        seed: int = 0,
    ):
        super().__init__(generator, teacher, ema_decay, seed)
        if not isinstance(beta, int | float) or not 0 <= beta <= 1:
            raise ValueError(f"LIT.beta must be a number in [0, 1], not {beta!r}")
        self.beta = beta
        self._check_shapes(teacher)

    def _check_shapes(self, teacher: ChunkSource) -> None:
        """Checks that each chunk of the student makes a map of the shape that the teacher's makes, and the ends."""
        chunks = chunks_of(self.generator)
        z, *maps = teacher.draw_activations(tf.constant(1), (self.seed, latents.STUDENT), tf.constant(0, tf.int64))
        own = list(itertools.accumulate(chunks, lambda x, chunk: output_of(chunk, x), initial=z))[1:]
        ours, theirs = ([tuple(each.shape[1:]) for each in found] for found in (own, maps))
        if ours != theirs:
            raise ValueError(
                "LIT requires that student and teacher have the same width and resolutions: the student's chunks make "
                f"maps of the shapes {ours}, the teacher's {theirs}"
            )
        ours, theirs = ([tuple(each.shape) for each in _ends(found)] for found in (chunks, teacher.chunks))
        if ours != theirs:
            raise ValueError("LIT requires that student and teacher have the same layers before and after their blocks")

    def build(self, input_shape=None):
        """Copies the teacher's first and last layers to the student, and creates all variables."""
        for weight, its in zip(_ends(chunks_of(self.generator)), _ends(self.teacher.chunks), strict=True):
            weight.assign(its)
        super().build(input_shape)

    def generate(self, count: tf.Tensor, step: tf.Tensor) -> list[tf.Tensor]:
        """The errors of the student's chunks S_i(T_{i-1}(z)) - T_i(z), then those of its images G_S(z) - G_T(z)."""
        maps = self.teacher.draw_activations(count, (self.seed, latents.STUDENT), step)
        with keras.StatelessScope():  # what a chunk makes of the teacher's maps changes no moving average
            outputs = [
                output_of(chunk, x, training=True)
                for chunk, x in zip(chunks_of(self.generator), maps[:-1], strict=True)
            ]
        outputs.append(self.generator(maps[0], training=True))
        targets = [*maps[1:], maps[-1]]
        return [tf.cast(output, tf.float32) - target for output, target in zip(outputs, targets, strict=True)]

    def generator_loss(self, generated: list[tf.Tensor], step: tf.Tensor) -> tf.Tensor:
        """The loss of the errors that `generate` gives, one value per example, [n]."""
        *chunks, images = [tf.reduce_mean(tf.square(e), axis=list(range(1, len(e.shape)))) for e in generated]
        return self.beta * images + (1.0 - self.beta) * tf.add_n(chunks)


def _ends(chunks: Sequence[Chunk]) -> list[keras.Variable]:
    """The weights of the layers before and after the blocks."""
    return [weight for end in (chunks[0], chunks[-1]) for layer in end for weight in layer.weights]
