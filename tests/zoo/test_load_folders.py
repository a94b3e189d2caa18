"""`akdg_tf.load` of what is not a name in a zoo: a URL, an entry's folder, a run, an exported SavedModel."""

import threading

import numpy as np
import pytest
import tensorflow as tf
from made_up_zoo import random_mlp, write_run, write_zoo

import akdg_tf
from akdg_tf.errors import UserError
from akdg_tf.models import MLPGenerator
from akdg_tf.zoo.serve import make_server

Z = tf.random.stateless_normal((3, 4), (0, 0))


def images_of(model):
    return (model(Z).numpy() + 1) / 2


def test_a_run_and_an_exported_generator_are_loaded_by_their_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = random_mlp()
    write_run(tmp_path / "runs" / "mine", model)
    akdg_tf.export(model, tmp_path / "exported")
    for path, metrics in (("runs/mine", "x"), (tmp_path / "runs" / "mine", "x"), ("./exported", None)):
        loaded = akdg_tf.load(path)
        np.testing.assert_allclose(loaded.generator(Z), images_of(model), atol=1e-6)
        assert (loaded.metrics and loaded.metrics.experiment, loaded.card) == (metrics, "")
        assert loaded.sample(2, seed=0).shape == (2, 8, 8, 1)
    assert akdg_tf.load("runs/mine").name == "mine"


def test_a_class_conditional_generator_draws_the_class_that_is_asked_for(tmp_path):
    """The image of this generator depends on the class alone."""
    model = MLPGenerator(5, (8, 8, 1), width=4, depth=1, classes=3)
    first, *others = model.get_weights()
    first[:2] = 0.0
    model.set_weights([first, *others])
    akdg_tf.export(model, tmp_path / "exported")
    loaded = akdg_tf.load(tmp_path / "exported")
    assert (loaded.prior, loaded.classes, loaded.latent_dim) == ("normal, 3 classes", 3, 5)
    images = {label: loaded.sample(4, seed=0, label=label) for label in range(3)}
    for label, expected in enumerate((model(np.eye(5, dtype=np.float32)[2:]).numpy() + 1) / 2):
        np.testing.assert_allclose(images[label], np.stack([expected] * 4), atol=1e-6)
    for image in loaded.sample(20, seed=0):  # of random classes
        assert any(np.allclose(image, images[label][0], atol=1e-6) for label in range(3))
    for label in (-1, 3, 1.5, "1"):
        with pytest.raises(UserError, match=f"exported has no label {label!r}: its labels are 0 to 2"):
            loaded.sample(1, label=label)
    akdg_tf.export(random_mlp(), tmp_path / "plain")
    with pytest.raises(UserError, match="plain has no label 1: it is not class-conditional"):
        akdg_tf.load(tmp_path / "plain").sample(1, label=1)


def test_an_entry_is_loaded_by_its_path_or_its_url_and_is_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = random_mlp()
    write_zoo(tmp_path / "zoo", {"student": model, "t": random_mlp(1)}, "t")
    folder = tmp_path / "zoo" / "student"
    server = make_server(folder.parent, port=0)
    threading.Thread(target=server.run, daemon=True).start()
    url = f"http://127.0.0.1:{server.port}/student"
    for place in (folder, str(folder) + "/", url, url + "/"):
        loaded = akdg_tf.load(place)
        assert (loaded.name, loaded.card[:3]) == ("student", "---")
        np.testing.assert_allclose(loaded.generator(Z), images_of(model), atol=1e-6)
    server.__exit__()
    with (folder / "card.md").open("a") as card:
        card.write("changed")
    with pytest.raises(UserError, match=r"card\.md was changed"):
        akdg_tf.load(folder)


def test_a_foreign_saved_model_is_told_apart_and_nothing_is_one_line(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "foreign"))
    for path in (tmp_path / "foreign", tmp_path / "nowhere"):
        with pytest.raises(UserError, match=r"akdg_tf\.load_teacher loads foreign SavedModels"):
            akdg_tf.load(path)
