"""The script that migrates the zoo: the numbers and the images stay, the schema and the names of bindings are new."""

import dataclasses
import importlib.util
import json

import pytest
from made_up_zoo import made_up_network, made_up_score, random_mlp, write_zoo
from support import ROOT

from akdg_tf.artifacts.result import OverSeeds, Parent
from akdg_tf.errors import UserError
from akdg_tf.files import folder_digest, write_json
from akdg_tf.zoo import checksums
from akdg_tf.zoo.entries import Entry, entries
from akdg_tf.zoo.verify import verify_readme

spec = importlib.util.spec_from_file_location("migrate", ROOT / "zoo" / "migrate.py")
migrate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(migrate)

STUDENT = """# Macros:
# ==============================================================================
LATENT_DIM = 64

# Parameters for Adam:
# ==============================================================================
Adam.learning_rate = 0.003

# Parameters for d/Adam:
# ==============================================================================
d/Adam.learning_rate = 0.001

# Parameters for GeneratorExperiment:
# ==============================================================================
GeneratorExperiment.bank_images = 50000
GeneratorExperiment.batch_size = 64
GeneratorExperiment.cpu_budget = None
GeneratorExperiment.dataset = 'mnist5k'
GeneratorExperiment.discriminator_optimizer = @d/keras.optimizers.Adam()
GeneratorExperiment.evaluation = @ImageScores()
GeneratorExperiment.flip = False
GeneratorExperiment.generator = @MLPGenerator()
GeneratorExperiment.generator_optimizer = @keras.optimizers.Adam()
GeneratorExperiment.litert_weights = 'float16'
GeneratorExperiment.method = @AKDG
GeneratorExperiment.steps = 4000
GeneratorExperiment.teacher = @load_teacher
GeneratorExperiment.teacher_source = 'bank'

# Parameters for HingeLoss:
# ==============================================================================
# None.

# Parameters for make_experiment:
# ==============================================================================
make_experiment.experiment = @GeneratorExperiment
"""
MIGRATED = """# Macros:
# ==============================================================================
LATENT_DIM = 64

# Parameters for Adam:
# ==============================================================================
Adam.learning_rate = 0.003

# Parameters for d/Adam:
# ==============================================================================
d/Adam.learning_rate = 0.001

# Parameters for BankedTeacher:
# ==============================================================================
BankedTeacher.images = 50000

# Parameters for Data:
# ==============================================================================
Data.flip = False
Data.name = 'mnist5k'

# Parameters for GeneratorExperiment:
# ==============================================================================
GeneratorExperiment.data = @Data()
GeneratorExperiment.evaluations = {'scores': @ImageScores()}
GeneratorExperiment.exports = (@LiteRT(),)
GeneratorExperiment.generator = @MLPGenerator()
GeneratorExperiment.method = @AKDG
GeneratorExperiment.optimizers = @Optimizers()
GeneratorExperiment.schedule = @Schedule()
GeneratorExperiment.teacher = @load_teacher
GeneratorExperiment.teacher_source = @BankedTeacher()

# Parameters for HingeLoss:
# ==============================================================================
# None.

# Parameters for LiteRT:
# ==============================================================================
LiteRT.weights = 'float16'

# Parameters for make_experiment:
# ==============================================================================
make_experiment.experiment = @GeneratorExperiment

# Parameters for Optimizers:
# ==============================================================================
Optimizers.discriminator = @d/keras.optimizers.Adam()
Optimizers.generator = @keras.optimizers.Adam()

# Parameters for Schedule:
# ==============================================================================
Schedule.batch_size = 64
Schedule.cpu_budget = None
Schedule.steps = 4000
"""


def test_a_configuration_gets_the_current_names_and_keeps_macros_scopes_and_values(tmp_path):
    (tmp_path / "config.gin").write_text(STUDENT)
    migrate.convert_config(tmp_path)
    assert (tmp_path / "config.gin").read_text() == MIGRATED
    migrate.convert_config(tmp_path)
    assert (tmp_path / "config.gin").read_text() == MIGRATED


def test_what_a_teacher_and_a_student_taught_online_do_not_use_is_dropped():
    old = {
        f"GeneratorExperiment.{name}": value for name, value in (("teacher", "None"), ("litert_weights", "'float32'"))
    }
    old |= {"GeneratorExperiment.teacher_source": "'online'", "GeneratorExperiment.bank_images": "50000"}
    assert migrate.converted(old | {"make_experiment.experiment": "@GeneratorExperiment"}) == {
        "GeneratorExperiment.teacher": "None",
        "GeneratorExperiment.schedule": "@Schedule()",
        "make_experiment.experiment": "@GeneratorExperiment",
    }


def test_a_classifiers_schedule_is_an_object_of_its_own():
    old = {"ClassifierExperiment.steps": "7", "ClassifierExperiment.dataset": "'mnist5k'"}
    assert migrate.converted(old | {"make_experiment.experiment": "@ClassifierExperiment"}) == {
        "Schedule.steps": "7",
        "ClassifierExperiment.dataset": "'mnist5k'",
        "ClassifierExperiment.schedule": "@Schedule()",
        "make_experiment.experiment": "@ClassifierExperiment",
    }


@pytest.mark.parametrize("line", ["    'continued'", "A.b = \\", "import x"])
def test_a_line_that_is_not_a_binding_is_not_passed_over(line):
    with pytest.raises(ValueError, match="not a binding on one line"):
        migrate.read_sections(f"A.c = 1\n{line}\n")


def test_every_published_configuration_has_the_current_names_and_the_form_that_gin_writes():
    for entry in entries(ROOT / "zoo"):
        if entry.converted:  # it has no configuration
            continue
        text = (entry.folder / "config.gin").read_text()
        sections = migrate.read_sections(text)
        bindings = {name: value for section in sections.values() for name, value in section.items()}
        assert not set(bindings) & set(migrate.RENAMED), entry.name
        assert migrate.config_text(bindings, [name for name in sections if not sections[name]]) == text


def test_an_entry_without_a_configuration_stays_without_one(tmp_path):
    migrate.convert_config(tmp_path)
    assert list(tmp_path.iterdir()) == []


def side(network):
    """A network as it was written before results had a schema number."""
    counts = ("layers", "params", "mult_adds", "executed_mult_adds", "bytes", "latent_dim", "images_per_second")
    record = {name: getattr(network, name) for name in (*counts, "file_size")}
    unset = ("evaluation", "splits", "neighbours", "std")
    scores = {name: dataclasses.asdict(score) for name, score in network.scores.items()}
    scores = {name: {key: score[key] for key in score if key not in unset} for name, score in scores.items()}
    return record | {"metrics": scores}


def old_metrics(result):
    """A result as it was written before results had a schema number."""
    kept = ("experiment", "method", "seed", "steps", "smoke", "gin_files", "command", "machine")
    found = {name: getattr(result, name) for name in kept} | {"network": result.network.network}
    found |= {"dataset": f"{result.dataset}, {result.split}", "metrics": side(result.network)["metrics"]}
    found |= {"student": side(result.network), "teacher": result.teacher and side(result.teacher)}
    found["teacher_name"] = result.teacher and result.teacher.name
    found["over_seeds"] = {name: dataclasses.asdict(row) for name, row in result.over_seeds.items()}
    return found | ({"litert": dataclasses.asdict(result.litert)} if result.litert else {})


@pytest.fixture
def old_zoo(tmp_path, monkeypatch):
    """A zoo of an older version, and the results that it holds."""
    zoo = tmp_path / "zoo"
    write_zoo(zoo, {"t": random_mlp(1), "x": random_mlp(2)}, teacher="t")
    expected = {entry.name: dataclasses.replace(entry.result, onnx=None) for entry in entries(zoo)}
    for entry in entries(zoo):
        (entry.folder / "model.onnx").unlink(missing_ok=True)  # older versions had none
        write_json(entry.folder / "metrics.json", old_metrics(entry.result))
        (entry.folder / "config.gin").write_text(STUDENT)
        checksums.seal(entry.folder)
    monkeypatch.chdir(tmp_path)
    return zoo, expected


def test_the_zoo_is_migrated_and_its_images_stay(old_zoo):
    zoo, expected = old_zoo
    images = ("saved_model", "model.tflite", "samples.png")
    before = {name: digests(zoo / name, images) for name in expected}
    with pytest.raises(UserError, match="was written by an older version of akdg_tf"):
        _ = Entry(zoo / "x").kind
    migrate.main([])
    assert {name: digests(zoo / name, images) for name in expected} == before
    teacher = dataclasses.replace(expected["x"].teacher, file_size=expected["t"].network.file_size)
    assert Entry(zoo / "t").result == expected["t"]
    assert Entry(zoo / "x").result == dataclasses.replace(expected["x"], teacher=teacher)
    assert (zoo / "x" / "config.gin").read_text() == MIGRATED
    verify_readme(zoo)
    written = folder_digest(zoo)
    migrate.main([])
    assert folder_digest(zoo) == written


def digests(folder, names):
    return {name: folder_digest(folder / name) if (folder / name).is_dir() else read(folder / name) for name in names}


def read(path):
    return path.read_bytes() if path.exists() else None


def test_an_entry_that_was_changed_is_not_migrated(old_zoo):
    zoo, _ = old_zoo
    (zoo / "t" / "card.md").write_text("changed")
    with pytest.raises(UserError, match=r"t/card\.md was changed"):
        migrate.main([])
    assert "schema" not in json.loads((zoo / "t" / "metrics.json").read_text())


def test_each_kind_of_entry_becomes_a_result():
    network = made_up_network("x", scores={"fid[c]": made_up_score(1.0)})
    old = {"experiment": "x", "network": "N", "method": "MSEDistillation", "teacher_name": "t", "seed": 3, "steps": 7}
    old |= {
        "dataset": "mnist5k, train (a, b)",
        "smoke": False,
        "gin_files": ["gin/x.gin"],
        "command": "c",
        "machine": "m",
    }
    old |= {"student": side(network), "teacher": side(network), "metrics": {}}
    old |= {"over_seeds": {"fid[c]": {"mean": 1.0, "stdev": None, "values": [1.0], "seeds": [3]}}}
    student = migrate.result_of(old, "T")
    assert (student.kind, student.network, student.parents) == ("student", network, (Parent("teacher", "t"),))
    assert (student.teacher.name, student.teacher.network) == ("t", "T")
    assert (student.dataset, student.split) == ("mnist5k", "train (a, b)")
    assert len(student.data_digest) == 64
    assert student.over_seeds == {"fid[c]": OverSeeds(1.0, None, (1.0,), (3,))}
    vanilla = migrate.result_of(old | {"method": "GAN", "dataset": "cifar10, train"}, "T")
    assert (vanilla.kind, vanilla.parents, vanilla.data_digest) == ("student", (), None)
    alone = migrate.result_of(old | {"method": "GAN", "teacher": None, "teacher_name": None}, None)
    assert (alone.kind, alone.teacher, alone.parents) == ("teacher", None, ())
    accuracy = {"value": 0.9, "n_real": 5, "n_fake": 0, "classifier": "x", "split": "s", "resize": "none", "seed": 0}
    own = {name: value for name, value in side(network).items() if name not in ("latent_dim", "images_per_second")}
    judge = {key: value for key, value in old.items() if key not in ("student", "teacher", "teacher_name", "machine")}
    judge |= {"method": "classifier", "classifier": own | {"metrics": {"accuracy": accuracy}}}
    classifier = migrate.result_of(judge, None)
    assert (classifier.kind, classifier.machine, classifier.network.latent_dim) == ("classifier", None, None)
    assert classifier.network.scores["accuracy"].dataset == "mnist5k"
    part = migrate.result_of(judge | {"dataset": "mnist5k, train (5,000) less 500 held out"}, None)
    assert part.data_digest not in (None, classifier.data_digest)
