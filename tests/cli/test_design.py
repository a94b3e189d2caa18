"""`akdg design`: the largest student of each kind within a budget, with a gin file that runs."""

import pathlib
import shlex

import pytest
from support import ROOT

from akdg_tf.artifacts import latency
from akdg_tf.cli import design
from akdg_tf.models import MLPGenerator
from akdg_tf.models.counting import cost_of
from akdg_tf.training import config
from akdg_tf.training.workdir import Run

MNIST = ["--teacher=mnist_sngan_teacher", "--data=mnist5k"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKDG_ZOO", str(ROOT / "zoo"))


def test_both_kinds_of_student_within_all_limits(capsys):
    design.main([*MNIST, "--max_kb=100", "--max_params=50K"])
    table, commands = capsys.readouterr().out.split("\n\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == ["DCGANGenerator", "MLPGenerator"]
    for _, params, _, kilobytes, milliseconds in rows:
        assert int(params.replace(",", "")) <= 50_000 and int(kilobytes) <= 100 and float(milliseconds) > 0
    for line, kind in zip(commands.splitlines(), ("dcgan", "mlp"), strict=True):
        words = shlex.split(line)
        assert words[:2] == ["akdg", "run"] and words[2] == f"--gin_file=mnist_sngan_{kind}_akdg.gin"
        config.parse([words[2].partition("=")[2]], [])
        made = config.build(Run(pathlib.Path("run"), kind, smoke=True))
        (row,) = [row for row in rows if row[0] == type(made.generator).__name__]
        assert cost_of(made.generator).params == int(row[1].replace(",", ""))


def test_a_file_that_is_there_already_is_kept_unless_it_may_be_replaced(capsys):
    path = pathlib.Path("mnist_sngan_mlp_akdg.gin")
    path.write_text("# mine\n")
    with pytest.raises(SystemExit, match="2"):
        design.main([*MNIST, "--max_kb=100", "--overwrite"])
    says = "exists and was not written by akdg init or akdg design: choose another --name"
    assert says in capsys.readouterr().err and path.read_text() == "# mine\n"
    path.unlink()
    design.main([*MNIST, "--max_mult_adds=60K"])
    with pytest.raises(SystemExit, match="2"):
        design.main([*MNIST, "--max_mult_adds=60K"])
    assert "exists: choose another --name, or replace it with --overwrite" in capsys.readouterr().err


def test_a_kind_that_does_not_fit_is_left_out_with_one_line(capsys, caplog):
    design.main([*MNIST, "--max_mult_adds=60K"])
    said = capsys.readouterr()
    assert "MLPGenerator" in said.out and "DCGANGenerator" not in said.out
    assert "no DCGANGenerator is within 60,000 mult-adds" in caplog.text
    assert [path.name for path in pathlib.Path().glob("*.gin")] == ["mnist_sngan_mlp_akdg.gin"]


def test_a_limit_of_time_makes_the_students_narrower(capsys, monkeypatch):
    monkeypatch.setattr(latency, "milliseconds", lambda network: network.count_params() / 1e4)
    design.main([*MNIST, "--max_ms=2.5"])
    rows = capsys.readouterr().out.split("\n\n")[0].splitlines()[2:]
    assert len(rows) == 2 and all(1.5 < float(row.strip("|").split("|")[-1]) <= 2.5 for row in rows)


def test_a_name_of_ones_own_where_the_teachers_is_that_of_a_gin_file_of_the_package(capsys):
    teacher = "--teacher=mnist_conditional_teacher"
    with pytest.raises(SystemExit, match="2"):
        design.main([teacher, "--max_params=20K"])
    assert "there is another gin file of this name" in (said := capsys.readouterr().err) and "another --name" in said
    design.main([teacher, "--max_params=20K", "--name=mine"])
    assert {path.name for path in pathlib.Path().glob("*.gin")} == {"mine_dcgan_akdg.gin", "mine_mlp_akdg.gin"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*MNIST, "--max_ms=fast"], "'fast' is not a positive number of milliseconds, such as 2.5 (see --help)"),
        ([*MNIST, "--max_kb=0"], "'0' is not a whole number above 0, such as 500000, 500K or 20M"),
        ([*MNIST, "--max_kb=40.9"], "'40.9' is not a whole number above 0"),
        ([*MNIST, "--name=../x"], "is not the name of an entry"),
        ([*MNIST, "--max_params=10"], "no kind of student is within this budget: see the lines above"),
        (["--teacher=nosuch"], "there is no teacher 'nosuch'"),
        ([*MNIST, "--student=mlp"], "unrecognized arguments: --student=mlp"),
    ],
)
def test_what_is_wrong_is_one_line(arguments, says, capsys):
    with pytest.raises(SystemExit) as end:
        design.main(arguments)
    said = capsys.readouterr()
    assert end.value.code == 2 and not said.out and len(said.err.splitlines()) == 1, said.err
    assert said.err.startswith("akdg design: ") and says in said.err
    assert not list(pathlib.Path().glob("*.gin"))


def test_the_time_of_a_generator_is_measured_in_litert():
    assert 0 < latency.milliseconds(MLPGenerator(4, (8, 8, 1), 8)) < 1000
