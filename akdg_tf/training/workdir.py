"""The run folder: where each file lies, and the guard that one folder holds one run."""

import contextlib
import dataclasses
import os
import pathlib
import shlex
from collections.abc import Mapping

import gin

from akdg_tf.errors import UserError
from akdg_tf.files import locked, part_of, write_text


@dataclasses.dataclass(frozen=True)
class Run:
    """Identity of a run: its folder and what, beside the gin bindings, decides its outcome.

    Attributes:
        workdir: folder of all its files.
        experiment: name, the stem of the first gin file.
        bindings: the gin configuration as given.
        gin_files: those that it was read from, in their order.
        seed: seed of weights, latents and data order.
        smoke: few steps and samples, to see the path work; labels all that is written.
        data_dir: folder with datasets, or None.
        hyperparameters: those of the bindings that the experiment reads, by name, for TensorBoard.
        gin_params: each `--gin_param`, as given.
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

    def command(self) -> str:
        """The command line that makes this run, quoted for a shell; a data folder is called DATA, wherever it lies."""
        bound = [f"--gin_file={file}" for file in self.gin_files]
        bound += [f"--gin_param={binding}" for binding in self.gin_params]
        data = ["--data_dir=DATA"] * bool(self.data_dir) + ["--smoke"] * self.smoke
        words = ["python", "run.py", *bound, *data, f"--seed={self.seed}"]
        return " ".join(map(_quoted, words))

    def path(self, name: str) -> pathlib.Path:
        """Path of a file or folder of the run."""
        return self.workdir / name

    def check(self) -> None:
        """Checks that the folder is free, or holds this very run.

        Raises:
            UserError: the folder holds a run of another configuration, or something else.
        """
        given = self.path("config.gin")
        if given.exists() and given.read_text() != self._config():
            difference = _first_difference(given.read_text(), self._config())
            raise UserError(
                f"{self.workdir} holds a run of another configuration ({difference}): "
                "choose another --workdir or remove it"
            )
        strangers = {path.name for path in self.workdir.iterdir()} if self.workdir.exists() else set()
        strangers -= {".lock", part_of(given).name}  # what a run leaves that is killed as it begins
        if strangers and not given.exists():
            raise UserError(f"{self.workdir} is not a run folder and not empty: choose another --workdir")

    @contextlib.contextmanager
    def claim(self):
        """Holds the folder against other processes, which wait, and writes the configuration as given.

        Raises:
            UserError: `check` fails.
        """
        self.check()
        self.workdir.mkdir(parents=True, exist_ok=True)
        with locked(self.path(".lock")):  # the training of a teacher goes on when the run that began it is killed
            self.check()  # again: another process may have come and gone before the lock was ours
            write_text(self.path("config.gin"), self._config())
            yield

    def _config(self) -> str:
        """What `config.gin` holds."""
        head = f"# experiment {self.experiment}, seed {self.seed}{', SMOKE RUN' if self.smoke else ''}"
        if self.data_dir:
            head += f", data {os.path.abspath(self.data_dir)}"
        return f"{head}\n{self.bindings}"

    def write_operative_config(self) -> None:
        """Writes the gin configuration that was in force, defaults included."""
        head = "# SMOKE RUN: fewer steps than are bound\n" if self.smoke else ""
        write_text(self.path("operative_config.gin"), head + gin.operative_config_str())


def _quoted(word: str) -> str:
    """A word for a shell; one that holds single quotes, as strings in gin do, in double ones."""
    plain = "'" in word and not set('"$`\\!') & set(word)
    return f'"{word}"' if plain else shlex.quote(word)


def _first_difference(old: str, new: str) -> str:
    changed = [line for line in new.splitlines() if line not in old.splitlines()]
    gone = [line for line in old.splitlines() if line not in new.splitlines()]
    return f"there {(gone or ['nothing'])[0]!r}, here {(changed or ['nothing'])[0]!r}"
