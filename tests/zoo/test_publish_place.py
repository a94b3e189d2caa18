"""Publishing over an entry keeps what does not belong to it."""

import os

import pytest
from made_up_zoo import random_mlp, write_run

from akdg_tf.errors import UserError
from akdg_tf.zoo import publish
from akdg_tf.zoo.verify import verify_readme

pytestmark = pytest.mark.usefixtures("folder_with_gin_files")


def test_a_file_of_somebody_else_in_an_entry_is_not_lost(tmp_path):
    run = write_run(tmp_path / "run", random_mlp(1))
    entry = publish.publish([run])
    notes = entry.folder / "saved_model" / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(UserError, match=r"saved_model/notes.txt is not listed in SHA256SUMS, or is a link: remove it"):
        publish.publish([run], overwrite=True)
    assert notes.read_text() == "mine"
    notes.unlink()
    assert publish.publish([run], overwrite=True).name == "x"


def test_a_readme_that_is_a_pipe_or_leads_elsewhere_is_not_read_or_written_through(tmp_path):
    run = write_run(tmp_path / "run", random_mlp())
    zoo = tmp_path / "zoo"
    publish.publish([run], zoo)
    (zoo / "README.md.part").symlink_to(tmp_path / "victim")
    (tmp_path / "victim").write_text("mine")
    publish.rewrite_cards(zoo)
    assert (tmp_path / "victim").read_text() == "mine" and not (zoo / "README.md").is_symlink()
    (zoo / "README.md").unlink()
    os.mkfifo(zoo / "README.md")
    for function in (publish.rewrite_cards, verify_readme):
        with pytest.raises(OSError, match="not a regular file"):
            function(zoo)
