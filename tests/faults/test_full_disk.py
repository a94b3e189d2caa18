"""A full disk at every stage: one line, and what was there before stays. Here files may not grow beyond 20 kB."""

import contextlib
import re
import resource

import pytest

from akdg_tf.artifacts.checkpoints import steps_in
from akdg_tf.cli import zoo

LIMIT = 20_000  # bytes; what is captured of a run is less
TEACHER = ["--gin_file=gin/toy_ring_teacher.gin", "--workdir=TMP/teacher", "--gin_param=Schedule.report_every=10"]
TEACHER += ["--gin_param=Schedule.steps_per_execution=1", "--gin_param=PointScores.samples=500"]
STUDENT = ["--gin_file=gin/toy_ring_akdg.gin", "--workdir=TMP/student", "--gin_param=load_teacher.name='TMP/teacher'"]
STUDENT += ["--gin_param=GeneratorExperiment.teacher_source=@BankedTeacher()", "--gin_param=STEPS=500", "--stage=train"]


@contextlib.contextmanager
def full_disk():
    """Writing more than `LIMIT` bytes to a file fails, as on a full disk (EFBIG in place of ENOSPC)."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.long
def test_every_stage_goes_on_once_there_is_space(fails, works, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("akdg_tf.teachers.bank.BANKS", tmp_path / "banks")
    ten, more = ([*TEACHER, f"--gin_param=STEPS={steps}"] for steps in (10, 20))
    works(ten, "train")
    checkpoints = tmp_path / "teacher" / "checkpoints"
    assert "ckpt-20" in fails(full_disk(), [*more, "--allow_config_change"], "train")
    assert steps_in(checkpoints) == [10] and not list(checkpoints.glob("*_temp"))
    works(more, "train")
    fails(full_disk(), more, "export")
    assert not (tmp_path / "teacher" / "saved_model").exists()
    works(more, "all")
    assert re.search(
        r"File too large: '.*\.part/images.npy'; once that is mended", fails(full_disk(), STUDENT, "train")
    )
    with full_disk(), pytest.raises(SystemExit) as end:
        zoo.main(["publish", "--zoo", str(tmp_path / "zoo"), str(tmp_path / "teacher")])
    assert end.value.code == 2 and len(capfd.readouterr().err.splitlines()) == 1
    assert not [path for path in (tmp_path / "zoo").rglob("*") if path.is_file() and path.name != "README.md"]
    zoo.main(["publish", "--zoo", str(tmp_path / "zoo"), str(tmp_path / "teacher")])
    works(STUDENT, "train")
