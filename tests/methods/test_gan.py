"""The vanilla method."""

import keras
import numpy as np
from support import SAMPLE_SHAPE, image_batches, make_trainer, mirrored

import akdg_tf
from akdg_tf import AKDG, GAN


def test_two_replicas_are_one_with_hinge_loss_and_spectral_norm():
    """The teacher's recipe: the singular vectors are state that every replica must carry alike."""
    weights = []
    for devices in (("CPU:0",), ("CPU:0", "CPU:1")):
        with mirrored(devices).scope():
            keras.utils.set_random_seed(0)
            student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=16, depth=2)
            resnet = akdg_tf.ResNetDiscriminator(4, (True, False))
            trainer = GAN(student, resnet, akdg_tf.HingeLoss(), penalty=None, d_steps=2)
            trainer.compile(keras.optimizers.SGD(0.05))
            trainer.fit(image_batches(3, batch=16), verbose=0)
        weights.append([v.numpy() for v in [*student.variables, *resnet.variables]])
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_akdg_with_a_lambda_of_0_trains_its_student_as_the_vanilla_method_does():
    vanilla, akdg = make_trainer(GAN), make_trainer(AKDG, distillation_weight=0.0)
    for trainer in (vanilla, akdg):
        trainer.fit(image_batches(2), verbose=0)
    for one, other in ((vanilla.generator, akdg.generator), (vanilla.networks["d_s"], akdg.networks["d_s"])):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
