"""The run folder: the paths of its files, its configuration, and the check that it holds only one run."""

import contextlib
import dataclasses
import json
import logging
import os
import pathlib
import shlex
from collections.abc import Mapping

import gin

from akdg_tf.artifacts import exports
from akdg_tf.artifacts.result import Change
from akdg_tf.errors import UserError
from akdg_tf.files import locked, part_of, read_small, write_json, write_text
from akdg_tf.training import changes

logger = logging.getLogger(__name__)

OPERATIVE = "operative_config.gin"
INPUTS = "inputs.json"  # the digests of data and teacher; see `inputs`


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
        may_change: whether the run in the folder may go on with other bindings; see `changes`.
        chief: whether this process writes the folder. Of several workers, one does.
        changed_inputs: what it reads that is not what it began with; `inputs.hold` gives it to `go_on`.
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
    may_change: bool = False
    chief: bool = True
    changed_inputs: list[changes.ChangedInput] = dataclasses.field(default_factory=list)

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
        found = self._difference()
        if found and not (self.may_change and found.same_kind):
            here = "; to go on here, add --allow_config_change" if found.same_kind else ""
            raise UserError(f"{self.workdir} holds a run of another configuration ({found}): {self.elsewhere()}{here}")
        strangers = {path.name for path in self.workdir.iterdir()} if self.workdir.exists() else set()
        strangers -= {".lock", part_of(given).name}  # a run that is killed at its start may leave these
        if strangers and not given.exists():
            raise UserError(f"{self.workdir} is not empty and not a run folder: choose another --workdir")

    def go_on(self, step: int, last: int) -> bool:
        """Notes what has changed, bindings and inputs, if the training goes on; returns whether anything has.

        Args:
            step: the step that was restored, 0 if there is none.
            last: the last step of the training.

        Raises:
            UserError: no step is left for what has changed.
        """
        differences = (self._difference(), *(each.difference for each in self.changed_inputs))
        found = [each for each in differences if each]
        if not found:
            return False
        shown = "; ".join(map(str, found))
        if step >= last:
            raise UserError(f"{self.workdir} is at step {step}: no step is left for another configuration ({shown})")
        if step:
            removed = tuple(line for each in found for line in each.removed)
            added = tuple(line for each in found for line in each.added)
            changes.record(self.workdir, Change(step, removed, added))
            logger.warning("the configuration changed at step %d (%s); noted in %s", step, shown, changes.FILE)
        write_text(self.path("config.gin"), self._config())
        if self.changed_inputs:
            noted = json.loads(read_small(self.path(INPUTS)))
            write_json(self.path(INPUTS), noted | {each.name: each.note for each in self.changed_inputs})
        return True

    def elsewhere(self) -> str:
        """What to do if this run cannot go on in its folder."""
        start = f"--gin_param=\"GeneratorExperiment.init_from='{self.workdir}'\""
        hint = f"; to continue from this run there, add {start}" if "GeneratorExperiment" in self.bindings else ""
        return f"choose another --workdir{hint}"

    def _difference(self) -> changes.Difference | None:
        """How the `config.gin` in the folder differs from this run's in what decides the training, None if it does not.

        Raises:
            UserError: an older version wrote it, which read data from another path.
        """
        given = self.path("config.gin")
        there = _text(given) if given.exists() else self._config()
        path = changes.data_of_an_older_version(there)
        if path and not self.path(INPUTS).exists():  # nothing else tells which data an older version read
            here = os.path.abspath(self.data_dir) if self.data_dir else None
            if path != here:
                differ = f"there the data in {path!r}, here in {here!r}"
                raise UserError(f"{self.workdir} holds a run of another configuration ({differ}): {self.elsewhere()}")
        return changes.difference(there, self._config())

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

    def note_export(self, step: int, kinds: Mapping[str, str | None]) -> None:
        """Notes that `saved_model/` is of this step, which optional exports are, and which of their files are there.

        Args:
            step: the step.
            kinds: see `exports.kinds`.
        """
        files = [file for file in kinds if self.path(file).exists()]  # without those that failed
        write_json(self.path(exports.NOTE), {"step": step, "exports": dict(kinds), "files": files})

    def has_export(self, step: int, kinds: Mapping[str, str | None]) -> bool:
        """Whether `saved_model/` is there, and is noted as that of this step, with all files of these optional exports.

        Without a note, it is taken for it: older versions wrote none, and entries of a zoo have none.
        """
        if not self.path("saved_model").exists():
            return False
        try:
            found = exports.noted(self.workdir)
        except ValueError:
            return False
        if found is None:
            return True
        there = all(self.path(file).exists() for file in found.get("files", []))
        return there and (found.get("step"), found.get("exports", kinds)) == (step, dict(kinds))

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


def _text(path: pathlib.Path) -> str:
    """The content of a text file.

    Raises:
        UserError: it cannot be read as text.
    """
    try:
        return read_small(path).decode()
    except (OSError, UnicodeError) as error:
        raise UserError(f"{path} cannot be read ({' '.join(str(error).split())}): choose another --workdir") from None


def _quoted(word: str) -> str:
    """A word quoted for a shell. A word with single quotes, which gin strings have, gets double quotes if possible."""
    plain = "'" in word and not set('"$`\\!') & set(word)
    return f'"{word}"' if plain else shlex.quote(word)
