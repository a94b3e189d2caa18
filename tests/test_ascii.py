"""Names and texts of any language, where the system's own encoding is ASCII and there is no home folder."""

import os
import subprocess
import sys

from made_up_zoo import write_metrics
from support import ROOT

PROGRAM = """
import pathlib, sys
from akdg_tf.files import write_text
from akdg_tf.training import config
from akdg_tf.zoo import card
from akdg_tf.zoo.entries import Entry

assert sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode
entry = Entry(pathlib.Path("zoo/x"))
write_text(entry.folder / "card.md", card.card(entry))
config.parse(["x.gin"], [])
print(ascii(config.hyperparameters()["load_teacher.name"]))
"""
GIN = """# Größe
make_experiment.experiment = @GeneratorExperiment
GeneratorExperiment.teacher = @load_teacher
load_teacher.name = 'Größe'
"""


def test_files_are_utf_8_whatever_the_system_says(tmp_path):
    write_metrics(tmp_path / "zoo" / "x", split="Größe")
    (tmp_path / "x.gin").write_text(GIN, encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-X", "utf8=0", "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "'Gr\\xf6\\xdfe'\n", done.stderr
    assert "Größe" in (tmp_path / "zoo" / "x" / "card.md").read_text(encoding="utf-8")
