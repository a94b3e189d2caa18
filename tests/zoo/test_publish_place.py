"""Publishing over an entry keeps what does not belong to it."""

import pytest
from made_up_zoo import GIN_TEXT, random_mlp, write_run

from akdg_tf.errors import UserError
from akdg_tf.zoo import publish


def test_a_file_of_somebody_else_in_an_entry_is_not_lost(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gin").mkdir()
    (tmp_path / "gin" / "x.gin").write_text(GIN_TEXT)
    run = write_run(tmp_path / "run", random_mlp(1))
    entry = publish.publish([run])
    notes = entry.folder / "saved_model" / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(UserError, match=r"saved_model/notes.txt is not listed in SHA256SUMS, or is a link: remove it"):
        publish.publish([run], overwrite=True)
    assert notes.read_text() == "mine"
    notes.unlink()
    assert publish.publish([run], overwrite=True).name == "x"
