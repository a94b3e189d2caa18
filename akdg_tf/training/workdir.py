"""The run folder: the paths of its files, its configuration, and the check that it holds only one run."""

import contextlib
import dataclasses
import os
import pathlib
import re
import shlex
from collections.abc import Mapping

import gin

from akdg_tf.errors import UserError
from akdg_tf.files import locked, part_of, write_text
from akdg_tf.training.identity import training_lines

OPERATIVE = "operative_config.gin"
INPUTS = "inputs.json"  # the digests of data and teacher; see `inputs`

_DATA = re.compile(r"(?<=\d|N), data (.*)$")  # in the first line of a config.gin that an older version wrote


@dataclasses.dataclass(frozen=True)
class Run:
    """Identity of a run: its folder, and everything that determines its outcome.

    The data and the teacher count by what they hold, not by where they lie; see `inputs`.

    Attributes:
        workdir: the run folder.
        experiment: name, the stem of the first gin file.
        bindings: the gin configuration as given, as text.
        gin_files: the gin files as given, in their order.
        seed: seed of weights, latents and data order.
        smoke: a short run with few steps and samples, which tests all stages; everything that it writes says so.
        data_dir: folder with the data, or None.
        hyperparameters: the values that the experiment reads, by name, for TensorBoard.
        gin_params: each `--gin_param`, as given.
        chief: whether this process writes the folder. Of several workers, one does.
    """

    workdir: pathlib.Path
    experiment: str
    bindings: str = ""
    gin_files: tuple[str, ...] = ()
    seed: int = 0
    smoke: bool = False
    data_dir: str | None = None
    hyperparameters: Mapping[str, bool | int | float | str] = dataclasses.field(default_factory=dict)
    gin_params: tuple[str, ...] = ()
    chief: bool = True

    def command(self) -> str:
        """The command line of this run, quoted for a shell. The path of a data folder is replaced by DATA."""
        bound = [f"--gin_file={file}" for file in self.gin_files]
        bound += [f"--gin_param={binding}" for binding in self.gin_params]
        data = ["--data_dir=DATA"] * bool(self.data_dir) + ["--smoke"] * self.smoke
        words = ["python", "run.py", *bound, *data, f"--seed={self.seed}"]
        return " ".join(map(_quoted, words))

    def path(self, name: str) -> pathlib.Path:
        """Path of a file or folder of the run."""
        return self.workdir / name

    def check(self) -> None:
        """Checks that the folder is empty, does not exist, or holds this run. The chief checks it for all workers.

        Raises:
            UserError: the folder holds a run of another configuration, or something else.
        """
        if not self.chief:
            return
        given = self.path("config.gin")
        difference = self._difference(given.read_text(encoding="utf-8")) if given.exists() else None
        if difference:
            raise UserError(f"{self.workdir} holds a run of another configuration ({difference}): {self.elsewhere()}")
        strangers = {path.name for path in self.workdir.iterdir()} if self.workdir.exists() else set()
        strangers -= {".lock", part_of(given).name}  # a run that is killed at its start may leave these
        if strangers and not given.exists():
            raise UserError(f"{self.workdir} is not empty and not a run folder: choose another --workdir")

    def elsewhere(self) -> str:
        """What to do if this run cannot go on in its folder."""
        start = f"--gin_param=\"GeneratorExperiment.init_from='{self.workdir}'\""
        hint = f"; to continue from this run there, add {start}" if "GeneratorExperiment" in self.bindings else ""
        return f"choose another --workdir{hint}"

    def _difference(self, there: str) -> str | None:
        """The first difference of the `config.gin` in the folder that makes it another run, None if there is none."""
        path = _DATA.search(there.partition("\n")[0])
        if path and not self.path(INPUTS).exists():  # nothing else tells which data an older version read
            here = os.path.abspath(self.data_dir) if self.data_dir else None
            if path[1] != here:
                return f"there the data in {path[1]!r}, here in {here!r}"
        return _difference(there, self._config())

    @contextlib.contextmanager
    def claim(self):
        """Locks the folder, so that other processes wait, and writes the configuration as given.

        Raises:
            UserError: see `check`.
        """
        self.check()
        self.workdir.mkdir(parents=True, exist_ok=True)
        with locked(self.path(".lock")):  # needed for teachers, too: killing a run does not kill its teacher's training
            self.check()  # again, because another process may have written to the folder meanwhile
            if not self.path("config.gin").exists():
                write_text(self.path("config.gin"), self._config())
            yield

    def write_configs(self) -> None:
        """Writes the configuration as given and as used, after a result that it has made: scoring may have changed."""
        write_text(self.path("config.gin"), self._config())
        self._write_operative_config()

    def _config(self) -> str:
        """The content of `config.gin`."""
        head = f"# experiment {self.experiment}, seed {self.seed}{', SMOKE RUN' if self.smoke else ''}"
        return f"{head}\n{self.bindings}"

    def begin_operative_config(self) -> None:
        """Writes the gin configuration as used when the run begins. A result writes it again."""
        if not self.path(OPERATIVE).exists():
            self._write_operative_config()

    def _write_operative_config(self) -> None:
        """Writes the gin configuration as used, including defaults."""
        head = "# SMOKE RUN: fewer steps than are bound\n" if self.smoke else ""
        write_text(self.path(OPERATIVE), head + gin.operative_config_str())


def _quoted(word: str) -> str:
    """A word quoted for a shell. A word with single quotes, which gin strings have, gets double quotes if possible."""
    plain = "'" in word and not set('"$`\\!') & set(word)
    return f'"{word}"' if plain else shlex.quote(word)


def _difference(old: str, new: str) -> str | None:
    """The first difference of two `config.gin` that makes them two runs, None if there is none."""
    (old_head, _, old), (new_head, _, new) = old.partition("\n"), new.partition("\n")
    old_lines, new_lines = training_lines(old), training_lines(new)
    if old_lines is None or new_lines is None:
        old_lines, new_lines = _statements(old), _statements(new)
    old_lines, new_lines = [_DATA.sub("", old_head), *old_lines], [new_head, *new_lines]
    gone = [line for line in old_lines if line not in new_lines]
    changed = [line for line in new_lines if line not in old_lines]
    if not gone and not changed:
        return None
    return f"there {(gone or ['nothing'])[0]!r}, here {(changed or ['nothing'])[0]!r}"


def _statements(config: str) -> list[str]:
    """The lines of a configuration, without comments and empty lines."""
    return [line for line in config.splitlines() if line and not line.startswith("#")]
