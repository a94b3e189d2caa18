"""A binding that would be ignored is an error."""

import gin
import pytest
from support import ROOT

from akdg_tf.errors import UserError
from akdg_tf.training import config
from akdg_tf.training import generation as experiment  # noqa: F401  (registers what the files bind)
from akdg_tf.training.workdir import Run


@pytest.fixture(autouse=True)
def _in_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("file", "binding", "says"),
    [
        ("mnist_mlp_akdg", "d_kd/R1Penalty.gamma=3.0", "binds nothing"),  # a scope that nothing enters
        ("mnist_mlp_akdg", "AKDG.seed=7", "seed"),  # given by the experiment
        ("mnist_mlp_mse", "R1Penalty.gamma=3.0", "binds nothing"),  # of methods that this experiment does not use
        ("cifar10_sngan_teacher", "d/GAN.d_steps=1", "binds nothing"),  # GAN is not called in the scope d
        ("mnist_mlp_mse", "ConvDiscriminator.widths=(8,)", "binds nothing"),
        ("mnist_mlp_akdg", "NOSUCH=1", "binds nothing"),
        ("mnist_mlp_akdg", "AKDG.d_steps=(1,", "gin configuration"),
    ],
)
def test_what_would_be_ignored_is_refused(file, binding, says):
    with pytest.raises(UserError, match=says):
        config.parse([f"gin/{file}.gin"], [binding])


@pytest.mark.parametrize(
    ("file", "binding"),
    [
        ("mnist_mlp_akdg", "R1Penalty.gamma=3.0"),
        ("mnist_mlp_akdg", "EMA_DECAY=0.9"),
        ("mnist_mlp_akdg", "load_classifier.name='runs/mine'"),
        ("mnist_mlp_akdg", "keras.optimizers.Adam.learning_rate=1e-3"),
        ("cifar10_sngan_teacher", "d/PolynomialDecay.decay_steps=7"),
    ],
)
def test_what_is_used_is_taken(file, binding):
    config.parse([f"gin/{file}.gin"], [binding])


def test_the_sngan_teachers_rates_fall_together(tmp_path):
    """Both to 0 at the end: the discriminator takes 5 steps for each of the generator's."""
    config.parse(["gin/cifar10_sngan_teacher.gin"], [])
    made = config.build(Run(tmp_path, "cifar10_sngan_teacher"))
    generator, discriminator = (optimizer._learning_rate for optimizer in made.optimizers)
    assert float(generator(0)) == float(discriminator(0)) == pytest.approx(2e-4)
    assert float(generator(50_000)) == float(discriminator(250_000)) == pytest.approx(1e-4)


def test_the_dtype_policy_is_bound_and_checked(tmp_path):
    config.parse(["gin/mnist_mlp_akdg.gin"], ["make_experiment.dtype_policy='mixed_bfloat16'"])
    hidden = config.build(Run(tmp_path, "mnist_mlp_akdg")).generator.net.layers[0]
    assert (hidden.compute_dtype, hidden.variable_dtype) == ("bfloat16", "float32")
    gin.clear_config()
    config.parse(["gin/mnist_mlp_akdg.gin"], ["make_experiment.dtype_policy='mixed_float16'"])
    with pytest.raises(UserError, match=r"'mixed_float16' is not one of float32, mixed_bfloat16$"):  # one line
        config.build(Run(tmp_path, "mnist_mlp_akdg"))


def test_effective_bindings_are_those_that_the_experiment_reads(tmp_path):
    """Through references, macros and scopes; the order and the rest of the file do not matter."""
    file = tmp_path / "x.gin"
    text = "make_experiment.experiment = @GeneratorExperiment\nGeneratorExperiment.steps = %STEPS\nSTEPS = 7\n"
    text += "GeneratorExperiment.discriminator_optimizer = @d/keras.optimizers.Adam()\n"
    text += "d/keras.optimizers.Adam.beta_1 = 0.5\n"
    unread = "SNGANGenerator.width = 9\nOTHER = 3\ng/keras.optimizers.Adam.beta_1 = 0.1\n"
    file.write_text(text)
    read = config.effective([file])
    assert len(read) == 5 and "STEPS = 7" in read
    file.write_text(unread + "\n".join(reversed(text.splitlines())))
    assert config.effective([file]) == read
    file.write_text(text.replace("7", "8"))
    assert config.effective([file]) != read
