"""What a run writes for TensorBoard, read back from its events and its profile."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import made_up_result, made_up_score, make_teacher, mirrored
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorflow.tsl.profiler.protobuf import xplane_pb2

import akdg_tf
from akdg_tf.data.choice import Data
from akdg_tf.errors import UserError
from akdg_tf.models import ConvClassifier, ResNetDiscriminator, SNGANGenerator
from akdg_tf.teachers.bank import make_bank
from akdg_tf.training import config, tensorboard
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run

BATCH, LATENT, TEACHER_LATENT, SEED = 64, 8, 5, 3
FED = {"student": [], "teacher": []}  # latents that they were given in training, an array a call


def record(who, z):
    tf.numpy_function(lambda z: FED[who].append(z) if len(z) == BATCH // 2 else None, [z], [])  # a replica's share


@keras.saving.register_keras_serializable(package="tests")
class RecordingGenerator(akdg_tf.MLPGenerator):
    def call(self, z, training=False):
        if training:
            record("student", z)
        return super().call(z, training)


class SmallAKDG(akdg_tf.AKDG):
    def __init__(self, student, teacher, seed):
        networks = [akdg_tf.MLPDiscriminator(width=16, depth=1) for _ in range(2)]
        super().__init__(student, *networks, teacher, d_steps=2, seed=seed)


class SmallGAN(akdg_tf.GAN):
    def __init__(self, student, seed):
        super().__init__(student, akdg_tf.MLPDiscriminator(width=16, depth=1), seed=seed)


def train(folder, steps, recording=False, devices=("CPU:0", "CPU:1"), **settings):
    """Trains on the 2-D ring, on replicas, as `run.py` does, AKDG if it is to be recorded; returns the experiment."""
    run = Run(folder, "ring", "R1Penalty.gamma = 3.0\n", seed=SEED, hyperparameters={"R1Penalty.gamma": 3.0})
    with mirrored(devices).scope():
        small = {"width": 16, "depth": 1, "output_activation": "linear"}
        student = (RecordingGenerator if recording else akdg_tf.MLPGenerator)(
            LATENT, (2,), use_batch_norm=True, **small
        )
        network = akdg_tf.MLPGenerator(TEACHER_LATENT, (2,), **small)

        def draw(z):
            if recording:
                record("teacher", z)
            return network(z)

        experiment = GeneratorExperiment(
            run,
            generator=student,
            method=SmallAKDG if recording else SmallGAN,
            data=Data("ring"),
            schedule=Schedule(steps, BATCH, report_every=4, pictures_every=1, **settings),
            evaluations={},
            teacher=lambda: akdg_tf.FrozenGenerator(draw, TEACHER_LATENT, prior="uniform", module=network),
        )
    experiment.train()
    return experiment


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of 8 steps, its steps 3 to 6 profiled, over the end of an interval."""
    return train(tmp_path_factory.mktemp("run"), 8, recording=True, profile_steps=(3, 6))


def read_events(folder):
    accumulator = EventAccumulator(str(folder / "events"), {"tensors": 0})
    return accumulator.Reload()


def read_tensors(folder, tag):
    """Values of a tag by step."""
    events = read_events(folder).Tensors(tag)
    assert len({event.step for event in events}) == len(events), "a step was written twice"
    return {event.step: tf.make_ndarray(event.tensor_proto) for event in events}


def assert_is_histogram_of(buckets, values):
    """`buckets`, rows of (left, right, count), are those of the values."""
    np.testing.assert_allclose([buckets[0, 0], buckets[-1, 1]], [values.min(), values.max()], rtol=1e-6)
    expected, _ = np.histogram(values, 30, (values.min(), values.max()))
    assert buckets[:, 2].sum() == values.size
    assert np.abs(buckets[:, 2] - expected).sum() <= 2  # a value on the edge of two buckets


def test_histograms_are_those_of_every_weight_and_of_the_latents_that_were_fed(trained):
    folder, trainer = trained.run.workdir, trained.trainer
    tags = {tag for tag in read_events(folder).Tags()["tensors"] if tag.partition("/")[0] in ("weights", "latents")}
    dense = ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")
    norm = [f"batch_normalization/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    names = [("generator", (*dense, *norm)), ("d_s", dense), ("d_kd", dense)]
    weights = {f"weights/{network}/{path}" for network, paths in names for path in paths}
    assert tags == weights | {"latents/student", "latents/teacher"}

    kernel = read_tensors(folder, "weights/generator/dense/kernel")
    assert list(kernel) == [4, 8]
    assert_is_histogram_of(kernel[8], np.asarray(trainer.generator.net.layers[0].kernel))
    bias = read_tensors(folder, "weights/d_kd/dense_1/bias")[8]  # one number: no bucket has a width
    assert bias[0, 0] == bias[-1, 1] == np.asarray(trainer.adversaries[1].discriminator.weights[-1])[0]

    calls = 2 * 2  # a step: two replicas, and two discriminator steps, the generator's being on the last one's latents
    for who, size, spread in (("student", LATENT, 1), ("teacher", TEACHER_LATENT, 3**-0.5)):  # normal, uniform
        histograms = read_tensors(folder, f"latents/{who}")
        for step in (4, 8):
            fed = np.concatenate(FED[who][step * calls - 2 : step * calls])
            assert fed.shape == (BATCH, size) and abs(fed.mean()) < 0.2 and abs(fed.std() - spread) < 0.15
            assert_is_histogram_of(histograms[step], fed)


@pytest.mark.parametrize("banked", [False, True])
def test_the_latents_of_a_teachers_draw_are_those_of_its_images(banked, tmp_path):
    source = make_bank(make_teacher()[0], 20, 0, tmp_path) if banked else make_teacher()[0]
    arguments = (7, (1, 2), tf.constant(5, tf.int64))
    np.testing.assert_array_equal(source.draw_latents(*arguments), source.draw_pairs(*arguments)[0])


def test_configuration_hyperparameters_and_scores(trained):
    folder = trained.run.workdir
    tensorboard.write_scores(trained.run, made_up_result(steps=8, scores={"fid[x]": made_up_score(12.5)}))
    assert b"R1Penalty.gamma = 3.0" in read_tensors(folder, "gin/config")[0].item()
    assert read_tensors(folder, "metrics/fid[x]") == {8: 12.5}
    content = read_events(folder).SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    hparams = HParamsPluginData.FromString(content).session_start_info.hparams
    assert (hparams["R1Penalty.gamma"].number_value, hparams["seed"].number_value) == (3.0, SEED)
    assert hparams["experiment"].string_value == "ring" and "smoke" not in hparams


def test_hyperparameters_are_what_the_experiment_reads(tmp_path):
    """Numbers, bools and strings as they are; tuples and references as text; nothing that is not read."""
    file = tmp_path / "x.gin"
    lines = ["make_experiment.experiment = @GeneratorExperiment", "GeneratorExperiment.data = @Data()"]
    lines += ["GeneratorExperiment.schedule = @Schedule()", "Data.name = 'ring'", "Data.flip = True"]
    lines += ["Schedule.steps = %STEPS", "STEPS = 7"]
    lines += ["Schedule.profile_steps = (2, 3)", "GeneratorExperiment.teacher = None"]
    file.write_text("\n".join([*lines, "SNGANGenerator.width = 9"]))
    config.parse([str(file)], [])
    assert config.hyperparameters() == {
        "make_experiment.experiment": "@GeneratorExperiment",
        "GeneratorExperiment.data": "@Data()",
        "GeneratorExperiment.schedule": "@Schedule()",
        "Data.name": "ring",
        "Schedule.steps": "%STEPS",
        "STEPS": 7,
        "Data.flip": True,
        "Schedule.profile_steps": "(2, 3)",
        "GeneratorExperiment.teacher": "None",
    }


def test_a_resumed_run_goes_on_where_it_was(tmp_path, caplog):
    """Configuration once, every step once, and a profile of what is left of its steps: of steps 3 to 6 at step 4."""
    train(tmp_path, 4, devices=("CPU:0",))
    train(tmp_path, 8, devices=("CPU:0",), profile_steps=(3, 6))
    with caplog.at_level(logging.INFO):
        train(tmp_path, 12, devices=("CPU:0",), profile_steps=(3, 6))
    assert "no profile: step 8 is past the steps 3 to 6" in caplog.messages
    assert [number for number, _, _ in read_profile(tmp_path)[0]] == [5, 6]
    assert list(read_tensors(tmp_path, "gin/config")) == [0]
    assert len(read_events(tmp_path).Tensors("_hparams_/session_start_info")) == 1
    for tag in ("g/loss", "samples", "latents/student"):
        assert list(read_tensors(tmp_path, tag)) == [4, 8, 12]


@pytest.mark.parametrize("make", [lambda: SNGANGenerator(4, (8, 8, 1), 4), ResNetDiscriminator, ConvClassifier])
def test_every_weight_has_a_tag_of_its_own_that_does_not_tell_what_was_made_before(make):
    networks = [make(), make()]
    for network in networks:
        if isinstance(network, ResNetDiscriminator):
            network(tf.zeros((1, 8, 8, 1)))
    first, second = ([*tensorboard.weights_by_tag({"x": network})] for network in networks)
    assert first == second and len(first) == len(networks[0].weights)
    assert not any("sequential" in tag or networks[0].name in tag for tag in first)


def read_profile(folder):
    """The one profile: (number, times of begin and end) of its steps, and (name, time) of everything else, in ps."""
    (path,) = (folder / "events" / "plugins" / "profile").glob("*/*.xplane.pb")
    (plane,) = (p for p in xplane_pb2.XSpace.FromString(path.read_bytes()).planes if p.name == "/host:CPU")
    steps, others = [], []
    for line in plane.lines:
        for event in line.events:
            name, begin = plane.event_metadata[event.metadata_id].name, line.timestamp_ns * 1000 + event.offset_ps
            stats = {plane.stat_metadata[stat.metadata_id].name: stat.int64_value for stat in event.stats}
            if name == "train":
                steps.append((stats["step_num"], begin, begin + event.duration_ps))
            else:
                others.append((name, begin))
    return sorted(steps), others


def test_the_profile_holds_each_step_of_every_replica(trained):
    steps, others = read_profile(trained.run.workdir)
    assert [number for number, _, _ in steps] == [3, 4, 5, 6]
    for _, begin, end in steps:
        students = [name for name, time in others if begin <= time <= end and "recording_generator" in name]
        assert {"replica_1/" in name for name in students} == {True, False}


@pytest.mark.parametrize(("devices", "traced"), [(("CPU:0",), [4, 6]), (("CPU:0", "CPU:1"), [3, 4, 5])])
def test_the_profile_holds_whole_executions(devices, traced, tmp_path):
    """Of two steps each, by the number of the second: those that hold a step of 3 to 5. Several replicas take one."""
    train(tmp_path, 8, devices=devices, profile_steps=(3, 5), steps_per_execution=2)
    assert [number for number, _, _ in read_profile(tmp_path)[0]] == traced


@pytest.mark.parametrize("steps", [(0, 5), (5, 4), (15, 21), (5,), 7, "12", (1.0, 2), (True, 2), ()])
def test_steps_that_cannot_be_profiled_are_refused(steps):
    with pytest.raises(UserError, match=r"must be \(first, last\), 1 <= first <= last <= 20 steps"):
        Schedule(20, 8, 10, profile_steps=steps)


@pytest.mark.parametrize(("bound", "smoke"), [((5, 7), (5, 7)), ((1000, 1009), (11, 20)), ((50, 100), (1, 20))])
def test_a_smoke_run_profiles_its_last_steps_in_place_of_later_ones(bound, smoke):
    assert Schedule(2000, 8, 100, profile_steps=bound).smoke().profile_steps == smoke
