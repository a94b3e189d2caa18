"""What a run writes for TensorBoard, read back from its events and its profile."""

import logging

import numpy as np
import pytest
import tensorflow as tf
from ring_run import BATCH, FED, LATENT, SEED, TEACHER_LATENT, read_events, read_profile, train
from support import made_up_result, made_up_score
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from akdg_tf.models import ConvClassifier, ResNetDiscriminator, SNGANGenerator
from akdg_tf.training import config, tensorboard


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of 8 steps."""
    return train(tmp_path_factory.mktemp("run"), 8, recording=True)


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
    norm = [f"fused_batch_normalization/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")]
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
    assert "no profile: training starts at step 8, after the steps 3 to 6" in caplog.messages
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
