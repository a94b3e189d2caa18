"""A binding that would be ignored is an error; what the experiment reads, and which line set it, is known."""

import gin
import keras
import pytest
from support import ROOT

from akdg_tf.errors import UserError
from akdg_tf.training import config
from akdg_tf.training.workdir import Run

EXPERIMENT = (
    "make_experiment.experiment = @GeneratorExperiment\nGeneratorExperiment.schedule = @Schedule()\n"
    "GeneratorExperiment.optimizers = @Optimizers()\n"
)


@pytest.fixture(autouse=True)
def _in_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def read(tmp_path):
    """A function that parses a text: what the experiment reads of it."""

    def function(text, *bindings):
        (tmp_path / "x.gin").write_text(EXPERIMENT + text)
        config.parse([tmp_path / "x.gin"], bindings)
        return config.hyperparameters()

    return function


@pytest.mark.parametrize(
    ("file", "binding", "says"),
    [
        ("mnist_mlp_akdg", "d_kd/R1Penalty.gamma=3.0", "^the experiment does not use 'd_kd/R1Penalty.gamma'"),
        ("mnist_mlp_akdg", "AKDG.seed=7", "^--gin_param=AKDG.seed=7: .*'seed'"),  # given by the experiment
        ("mnist_mlp_mse", "R1Penalty.gamma=3.0", "does not use"),  # of methods that this experiment does not use
        ("cifar10_sngan_teacher", "d/GAN.d_steps=1", "does not use"),  # GAN is not called in the scope d
        ("mnist_mlp_mse", "ConvDiscriminator.widths=(8,)", "does not use"),
        ("mnist_mlp_akdg", "NOSUCH=1", "does not use"),
        ("mnist_mlp_akdg", "AKDG.nosuch=1", "^--gin_param=AKDG.nosuch=1: .* doesn't have a parameter named 'nosuch'"),
        ("mnist_mlp_akdg", "AKDG.d_steps=(1,", r"^--gin_param=AKDG.d_steps=\(1,: EOF in multi-line statement$"),
        ("mnist_mlp_akdg", "AKDG.d_steps", "^--gin_param=AKDG.d_steps: Couldn't parse statement"),
        ("mnist_mlp_akdg", "", "^--gin_param=: give one binding"),
        ("mnist_mlp_akdg", "EMA_DECAY=0.9\nLATENT_DIM=2", "give one binding"),
        ("mnist_mlp_akdg", "include 'gin/budget_cpu.gin'", "give one binding"),
        ("mnist_mlp_akdg", "import os", "give one binding"),
        ("mnist_mlp_akdg", "EMA_DECAY=%NOSUCH", "^--gin_param: %NOSUCH is not bound: add NOSUCH = VALUE$"),
        ("mnist_mlp_akdg", "load_teacher.name=folder", "strings need quotes: load_teacher.name='folder'$"),
        ("mnist_mlp_akdg", "load_teacher.name=~/runs/a-b", "strings need quotes: load_teacher.name='~/runs/a-b'$"),
        ("mnist_mlp_akdg", "MLPGenerator.use_batch_norm=true", "use_batch_norm=true: write True or False, not true$"),
    ],
)
def test_what_would_be_ignored_or_is_malformed_is_refused(file, binding, says):
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
    name, value = binding.split("=")
    assert str(gin.query_parameter(f"%{name}" if name == "EMA_DECAY" else name)).strip("'") == str(eval(value))


def test_of_two_bindings_the_later_one_counts(read):
    assert read("STEPS = 1\nSchedule.steps = %STEPS", "STEPS=2", "STEPS=3")["STEPS"] == 3


def test_parsing_takes_the_place_of_what_was_parsed_before(read):
    read("Schedule.steps = 7")
    assert "Schedule.steps" not in read("Schedule.batch_size = 7")


def test_nothing_is_left_of_what_could_not_be_parsed(read):
    read("Schedule.steps = 7")
    with pytest.raises(UserError):
        read("Schedule.steps = %NOSUCH")
    assert config.hyperparameters() == {} and config.listing() == ""


def test_the_sngan_teachers_rates_fall_together(tmp_path):
    """Both to 0 at the end: the discriminator takes 5 steps for each of the generator's."""
    config.parse(["gin/cifar10_sngan_teacher.gin"], [])
    made = config.build(Run(tmp_path, "cifar10_sngan_teacher"))
    schedules = (
        optimizer.get_config()["learning_rate"]
        for optimizer in (made.optimizers.generator, made.optimizers.discriminator)
    )
    generator, discriminator = map(keras.optimizers.schedules.deserialize, schedules)
    assert float(generator(0)) == float(discriminator(0)) == pytest.approx(2e-4)
    assert float(generator(50_000)) == float(discriminator(250_000)) == pytest.approx(1e-4)


def test_the_dtype_policy_is_bound_and_checked(tmp_path):
    config.parse(["gin/mnist_mlp_akdg.gin"], ["make_experiment.dtype_policy='mixed_bfloat16'"])
    hidden = config.build(Run(tmp_path, "mnist_mlp_akdg")).generator.net.layers[0]
    assert (hidden.compute_dtype, hidden.variable_dtype) == ("bfloat16", "float32")
    config.parse(["gin/mnist_mlp_akdg.gin"], ["make_experiment.dtype_policy='mixed_float16'"])
    with pytest.raises(UserError, match=r"'mixed_float16' is not one of float32, mixed_bfloat16, auto$"):  # one line
        config.build(Run(tmp_path, "mnist_mlp_akdg"))


def test_effective_bindings_are_those_that_the_experiment_reads(tmp_path):
    """Through references, macros and scopes; the order and the rest of the file do not matter."""
    file = tmp_path / "x.gin"
    text = f"{EXPERIMENT}Schedule.steps = %STEPS\nSTEPS = 7\n"
    text += "Optimizers.discriminator = @d/keras.optimizers.Adam()\n"
    text += "d/keras.optimizers.Adam.beta_1 = 0.5\n"
    unread = "SNGANGenerator.width = 9\nOTHER = 3\ng/keras.optimizers.Adam.beta_1 = 0.1\n"
    file.write_text(text)
    read = config.effective([file])
    assert len(read) == 7 and "STEPS = 7" in read
    file.write_text(unread + "\n".join(reversed(text.splitlines())))
    assert config.effective([file]) == read
    file.write_text(text.replace("7", "8"))
    assert config.effective([file]) != read


def test_what_a_run_writes_is_what_its_files_bind(tmp_path):
    """gin's own text, whose long lines are broken, and in which a dict is sorted."""
    (tmp_path / "x.gin").write_text(f"{EXPERIMENT}Schedule.cpu_budget = {{'b': {tuple(range(50))}, 'a': 1}}\n")
    bound = config.effective([tmp_path / "x.gin"])
    (tmp_path / "config.gin").write_text(gin.config_str())
    assert config.effective([tmp_path / "config.gin"]) == bound
    assert any(line.startswith("Schedule.cpu_budget = {'a': 1, 'b': (0, 1") for line in bound)


def test_a_file_that_would_run_code_is_refused_where_that_is_not_wanted(tmp_path):
    (tmp_path / "x.gin").write_text(f"{EXPERIMENT}import os.path\n")
    with pytest.raises(UserError, match=r"x.gin:4: 'import os.path' is refused: it runs code from outside"):
        config.effective([tmp_path / "x.gin"], imports=False)
    assert len(config.effective([tmp_path / "x.gin"])) == 3
    assert "import os.path" in gin.config_str()


def test_a_file_that_would_read_another_one_is_refused_where_that_is_not_wanted(tmp_path):
    (tmp_path / "y.gin").write_text(EXPERIMENT)
    (tmp_path / "x.gin").write_text("include 'y.gin'\n")
    with pytest.raises(UserError, match=r"x.gin:1: include 'y.gin' is refused: it reads another file"):
        config.effective([tmp_path / "x.gin"], imports=False)
    assert config.effective([tmp_path / "x.gin"]) == config.effective([tmp_path / "y.gin"], imports=False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GeneratorExperiment.teacher = @load_teacher\nload_teacher.name = 'x'", "x"),
        ("GeneratorExperiment.teacher = @load_teacher\nload_teacher.name = %T\nT = %U\nU = 'y'", "y"),
        ("GeneratorExperiment.teacher = @t/load_teacher\nload_teacher.name = 'x'\nt/load_teacher.name = 'z'", "z"),
        ("GeneratorExperiment.teacher = @load_teacher", None),
        ("load_teacher.name = 'x'", None),
        ("GeneratorExperiment.teacher = None\nload_teacher.name = 'x'", None),
    ],
)
def test_the_teacher_that_is_loaded_is_known_by_name_and_can_be_replaced(text, name, read):
    read(text)
    assert config.bound_teacher() == name
    if name:
        config.bind_teacher("made")
        with gin.config_scope("t" if "t/" in text else None):
            assert gin.get_bindings("load_teacher") == {"name": "made"}


def test_macros_that_stand_for_each_other_are_one_line(read):
    read("GeneratorExperiment.teacher = @load_teacher\nload_teacher.name = %T\nT = %U\nU = %T")
    with pytest.raises(UserError, match="%T refers to itself"):
        config.bound_teacher()


@pytest.mark.parametrize("name", ["nosuch", "../gin/toy_ring_teacher", "", "runs/toy_ring_teacher"])
def test_no_gin_file_makes_what_is_no_teachers_name(name):
    assert config.teacher_gin_file(name) is None


def test_the_gin_file_that_makes_a_teacher_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(config.teacher_gin_file("toy_ring_teacher")) == "gin/toy_ring_teacher.gin"


def test_the_listing_is_a_gin_file_with_the_line_that_set_each_value_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.gin").write_text("STEPS = 1\nGAN.d_steps = 1\n")
    text = "import os.path\ninclude 'base.gin'\n" + EXPERIMENT + "GeneratorExperiment.method = @GAN\n"
    (tmp_path / "x.gin").write_text(text + "Schedule.steps = %STEPS\nSTEPS = 2\nAKDG.d_steps = 5\n")
    config.parse(["x.gin"], ["Schedule.batch_size=16"])
    assert config.listing().splitlines() == [
        "import os.path                                     # x.gin:1",
        "STEPS = 2                                          # x.gin:8",
        "GAN.d_steps = 1                                    # base.gin:2",
        "GeneratorExperiment.method = @GAN                  # x.gin:6",
        "GeneratorExperiment.optimizers = @Optimizers()     # x.gin:5",
        "GeneratorExperiment.schedule = @Schedule()         # x.gin:4",
        "make_experiment.experiment = @GeneratorExperiment  # x.gin:3",
        "Schedule.batch_size = 16                           # --gin_param",
        "Schedule.steps = %STEPS                            # x.gin:7",
    ]


@pytest.mark.parametrize("files", [["mnist_mlp_akdg"], ["cifar10_sngan_teacher", "budget_cpu"]])
def test_the_listing_is_the_same_experiment(files, tmp_path):
    bound = config.effective(files)
    (tmp_path / "x.gin").write_text(config.listing())
    assert config.effective([tmp_path / "x.gin"]) == bound


TWO_SPACES = """GeneratorExperiment.evaluations = {'scores': @ImageScores(), 'imagenet': @imagenet/ImageScores()}
ImageScores.classifier = @load_classifier
ImageScores.samples = 12
load_classifier.name = 'cifar10_classifier'
imagenet/ImageScores.classifier = @imagenet/load_classifier
imagenet/load_classifier.name = 'imagenet_efficientnet_lite0'
"""


def test_scores_over_two_classifiers_are_bound_side_by_side_in_scopes(tmp_path):
    """The scope reaches the classifier that is loaded later, outside it; `akdg run` writes the same bindings."""
    (tmp_path / "x.gin").write_text(f"include 'cifar10_dcgan_vanilla.gin'\n{TWO_SPACES}")
    config.parse([tmp_path / "x.gin"], ["imagenet/ImageScores.samples=11"])
    read = config.hyperparameters()
    assert read["load_classifier.name"] == "cifar10_classifier"
    assert read["imagenet/load_classifier.name"] == "imagenet_efficientnet_lite0"
    bound = config.effective([tmp_path / "x.gin"])
    (tmp_path / "config.gin").write_text(gin.config_str())
    assert config.effective([tmp_path / "config.gin"]) == bound
    config.parse([tmp_path / "x.gin"], ["imagenet/ImageScores.samples=11"])
    evaluations = config.build(Run(tmp_path, "x")).evaluations
    assert {name: each.samples for name, each in evaluations.items()} == {"scores": 12, "imagenet": 11}
    assert {name: each.load().id for name, each in evaluations.items()} == {
        "scores": "cifar10-classifier",
        "imagenet": "imagenet-efficientnet-lite0",
    }
