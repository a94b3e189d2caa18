"""Every experiment in gin/ parses, builds, and says at its head what it makes."""

import functools

import gin
import pytest
from support import ROOT

from akdg_tf import places
from akdg_tf.artifacts import network
from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.artifacts.saved_model import export_generator
from akdg_tf.methods.growth import Growth
from akdg_tf.methods.losses import HingeLoss
from akdg_tf.models import MLPGenerator, ResNetDiscriminator, SNGANGenerator
from akdg_tf.teachers import bank
from akdg_tf.teachers import load as teachers
from akdg_tf.training import config
from akdg_tf.training.classification import ClassifierExperiment
from akdg_tf.training.workdir import Run

SHARED = {
    *("cifar10", "cifar10_student", "cifar10_mlp", "cifar10_dcgan", "budget_cpu", "cpu_hours", "spectral"),
    *("mnist", "mnist_student", "mnist_mlp", "mnist_dcgan", "mnist_sngan", "mnist_compressed", "cifar10_sngan"),
    "cifar10_compressed",
    *("pggan", "lsun", "lsun_student", "emoji", "emoji_student"),
    *("toy", "toy_student", "toy_ring_student", "toy_grid_student"),
}
FILES = sorted(path for path in (ROOT / "gin").glob("*.gin") if path.stem not in SHARED)
CIFAR10 = [path for path in FILES if path.stem.startswith("cifar10") and path.stem != "cifar10_classifier"]
# Under the budget already, and for hours on its own.
ELSEWHERE = {"cifar10_sngan_teacher_cpu", "cifar10_sngan_deep_teacher", "cifar10_pggan_teacher"}
ELSEWHERE |= {"cifar10_sngan_lit", "cifar10_sngan_lit_akdg", "cifar10_sngan_akdg"}
COMPRESSED_CIFAR10 = {"cifar10_dcgan_factorized", "cifar10_dcgan_pruned", "cifar10_dcgan_int4"}
ELSEWHERE |= COMPRESSED_CIFAR10
CIFAR10 = [path for path in CIFAR10 if path.stem not in ELSEWHERE]
SLOW = {*COMPRESSED_CIFAR10, "mnist_dcgan_factorized", "mnist_dcgan_pruned"}

# By the name or its last part.
OPTIMIZERS = {"mse": 1, "lit": 1, "akdg": 3} | dict.fromkeys(COMPRESSED_CIFAR10, 1)
COMPRESSIONS = ("factorized", "quarter", "int4", "int8", "pruned", "sparse")
OPTIMIZERS |= dict.fromkeys(COMPRESSIONS, 3)
TEACHERS = {  # shapes of latent and sample, by family
    "toy": (8, (2,)),
    "mnist": (64, (32, 32, 1)),
    "cifar10": (128, (32, 32, 3)),
    "lsun": (512, (256, 256, 3)),
    "emoji": (128, (64, 64, 3)),
}
SOURCES = {  # the gin files of the runs that are compressed, by name
    **dict.fromkeys(
        ("mnist_dcgan_akdg", "mnist_dcgan_pruned", "mnist_dcgan_factorized_quarter"), ("mnist_dcgan_akdg",)
    ),
}
CONDITIONAL = "mnist_conditional_dcgan_akdg"
DEEP = {"mnist_sngan_lit": 32, "cifar10_sngan_lit": 64}  # width of a teacher whose layers are read


def optimizers_of(name):
    """How many optimizers the method of a gin file has."""
    return OPTIMIZERS.get(name) or OPTIMIZERS.get(name.split("_")[-1], 2)


@pytest.fixture(scope="module")
def small_teachers(tmp_path_factory):
    """A generator of each family's latent and samples, in the place of teachers that are not there."""
    folder = tmp_path_factory.mktemp("teachers")
    for family, (latent_dim, sample_shape) in TEACHERS.items():
        export_generator(MLPGenerator(latent_dim, sample_shape, width=1, depth=1), folder / family, (0, 1))
    for stem, width in DEEP.items():
        deep = SNGANGenerator(*TEACHERS[stem.partition("_")[0]], width=width, blocks_per_resolution=2)
        export_generator(deep, folder / stem, (0, 1))
    conditional = MLPGenerator(74, (32, 32, 1), width=1, depth=1, classes=10)
    export_generator(conditional, folder / CONDITIONAL, (0, 1))
    yield folder
    teachers._loaded.cache_clear()


@pytest.fixture(scope="module")
def source_run(small_teachers, tmp_path_factory):
    """A function that makes the run of some gin files, at its first checkpoint, once."""

    @functools.cache
    def function(stems):
        folder = tmp_path_factory.mktemp("runs") / stems[0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bank, "BANKS", folder.parent / "banks")
            patch.setattr(teachers, "find_saved_model", lambda _: small_teachers / stems[0].partition("_")[0])
            teachers._loaded.cache_clear()
            config.parse([f"gin/{stem}.gin" for stem in stems], [])
            trainer = config.build(Run(folder, stems[0], smoke=True)).trainer
        gin.clear_config()
        networks = {**trainer.networks, "ema_generator": trainer.ema_generator}
        folder.mkdir()
        network.write_run(folder, networks, "ema_generator", trainer.optimizer_classes)
        Checkpoints(trainer.state, folder / "checkpoints").save(1)
        export_generator(trainer.ema_generator, folder / "saved_model", (0, 1))
        return folder

    return function


@pytest.fixture
def build(small_teachers, source_run, tmp_path, monkeypatch):
    """A function that builds the experiment of some gin files."""
    monkeypatch.chdir(ROOT)
    found, sources = places._places, {}
    monkeypatch.setattr(places, "_places", lambda name: [sources[name]] if name in sources else found(name))
    monkeypatch.setattr(bank, "BANKS", tmp_path / "banks")

    def function(*paths):
        name = paths[0].stem
        if name.split("_")[-1] in COMPRESSIONS:
            family = name.partition("_")[0]
            sources.update(
                (f"runs/{run}", source_run(stems)) for run, stems in SOURCES.items() if run.startswith(family)
            )
        teacher = small_teachers / (name if name in (*DEEP, CONDITIONAL) else name.partition("_")[0])
        monkeypatch.setattr(teachers, "find_saved_model", lambda _: teacher)
        teachers._loaded.cache_clear()
        config.parse([str(path) for path in paths], [])
        return config.build(Run(tmp_path, name, smoke=True))

    return function


LSUN_STUDENT = (3_688_931, 785_383_424, 256)
LSUN = {  # params, mult-adds, latent; batch and micro-batches
    "lsun_pggan_teacher": ((18_344_995, 8_805_941_248, 512), (8, 1)),
    "lsun_dcgan_vanilla_b64": (LSUN_STUDENT, (64, 1)),
    "lsun_dcgan_vanilla_b2048": (LSUN_STUDENT, (2048, 32)),
    "lsun_dcgan_akdg": (LSUN_STUDENT, (2048, 32)),
    "lsun_dcgan_mse": ((5_786_083, 787_480_576, 512), (64, 1)),  # with the teacher's latent
}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.long] * (path.stem in SLOW), id=path.stem)
        for path in FILES
        if path.stem not in LSUN
    ],
)
def test_experiment_builds(path, build):
    """With its trainer: every network, loss and optimizer that the file binds."""
    made = build(path)
    if path.stem.endswith("classifier"):
        assert isinstance(made, ClassifierExperiment)
    else:
        with config.explained():
            assert len(made.trainer.optimizers) == optimizers_of(path.stem)


@pytest.mark.parametrize("path", CIFAR10, ids=lambda path: path.stem)
def test_the_cpu_budget_scales_every_cifar10_experiment(path, build):
    costs = []
    for files in ((path,), (path, ROOT / "gin" / "budget_cpu.gin")):
        made = build(*files)
        steps = gin.query_parameter("Schedule.steps")
        steps = steps if isinstance(steps, int) else gin.query_parameter(str(steps))  # of a macro
        adversaries = sum(adversary.discriminator.count_params() for adversary in made.trainer.adversaries)
        costs.append([steps, gin.query_parameter("ImageScores.samples"), adversaries])
        gin.clear_config()
    full, budget = costs
    assert full[:2] == [100_000, 50_000]
    assert budget[0] <= 10_000 and budget[1] == 10_000
    assert budget[2] < full[2] / 3 or path.stem.endswith("mse")


def test_the_cpu_budget_leaves_the_students_as_they_are_and_shrinks_the_teacher(build):
    sizes = {}
    for stem in ("cifar10_mlp_akdg", "cifar10_dcgan_akdg", "cifar10_sngan_teacher"):
        made = build(ROOT / "gin" / f"{stem}.gin", ROOT / "gin" / "budget_cpu.gin")
        sizes[stem] = made.describe()["network"]["params"]
        gin.clear_config()
    assert sizes["cifar10_mlp_akdg"] == 2_167_296 + 3_072  # scale and offset of three batch norms of 512
    assert sizes["cifar10_dcgan_akdg"] == 2_609_155
    assert sizes["cifar10_sngan_teacher"] < 4_079_363 / 10


@pytest.mark.parametrize("stem", ["cifar10_dcgan_vanilla", "cifar10_dcgan_mse", "cifar10_dcgan_akdg"])
def test_the_dcgan_students_are_trained_for_hours_against_discriminators_of_the_teachers_kind(stem, build):
    made = build(*(ROOT / "gin" / f"{name}.gin" for name in (stem, "cpu_hours", "spectral")))
    assert gin.query_parameter("%CPU_HOURS_STEPS") == 20_000
    for adversary in made.trainer.adversaries:
        assert isinstance(adversary.discriminator, ResNetDiscriminator)
        assert (adversary.discriminator.width, adversary.loss, adversary.penalty) == (64, HingeLoss(), None)
    g_optimizer, *d_optimizers = made.trainer.optimizers
    assert float(g_optimizer.learning_rate.numpy()) == pytest.approx(2e-4)
    for optimizer in d_optimizers:
        assert float(optimizer.learning_rate.numpy()) == pytest.approx(4e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.0, 0.9)


@pytest.mark.parametrize(
    ("name", "costs"),
    [
        ("emoji_pggan_teacher", (850_451, 106_627_072)),
        *((f"emoji_dcgan_{method}", (362_947, 20_021_248)) for method in ("vanilla", "mse", "akdg")),
    ],
)
def test_emoji_are_the_lsun_experiments_at_a_smaller_scale(name, costs, build):
    made = build(ROOT / "gin" / f"{name}.gin")
    network = made.describe({})["network"]
    assert (network["params"], network["mult_adds"], network["latent_dim"]) == (*costs, 128)
    assert made.materials.data.name == "folder" and gin.query_parameter("Schedule.micro_batches") == 1


@pytest.mark.parametrize("name", LSUN)
def test_lsun_experiments_are_those_of_the_paper(name, build):
    costs, sizes = LSUN[name]
    made = build(ROOT / "gin" / f"{name}.gin")
    network = made.describe({})["network"]
    assert (network["params"], network["mult_adds"], network["latent_dim"]) == costs
    assert (made.schedule.batch_size, made.schedule.micro_batches) == sizes
    assert (made.generator.sample_shape, made.materials.data.name) == ((256, 256, 3), "lmdb")
    assert len(made.trainer.optimizers) == optimizers_of(name)


def test_lsun_teacher_sees_the_images_of_pggans_own_training():
    """12 million images, 600,000 per phase: preset-v2-1gpu in PGGAN's code."""
    config.parse([str(ROOT / "gin" / "lsun_pggan_teacher.gin")], [])
    sizes, stable, fade = (gin.query_parameter(f"Growth.{x}") for x in ("batch_sizes", "stable_images", "fade_images"))
    steps = gin.query_parameter("Schedule.steps")
    gin.clear_config()
    assert (sizes, stable, fade) == ((128, 128, 128, 64, 32, 16, 8), 600_000, 600_000)
    with_the_last_map = sizes[-1] * (steps - Growth(sizes, stable, fade).steps)
    assert 6 * (stable + fade) + with_the_last_map == pytest.approx(12_000_000, rel=1e-4)


@pytest.mark.parametrize("path", sorted((ROOT / "gin").glob("*.gin")), ids=lambda path: path.stem)
def test_file_has_a_head(path):
    assert path.read_text().startswith("# ")


def test_gin_config_is_not_hidden_by_our_folder():
    assert gin.parse_config and not (ROOT / "gin" / "__init__.py").exists()
