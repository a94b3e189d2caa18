"""A bank of teacher images stands in for the teacher: its images, each once a pass, found again, never a wrong one."""

import json
import os
import shutil

import contracts
import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, discriminator, image_batches, make_teacher, mirrored, quick

import akdg_tf
from akdg_tf import latents
from akdg_tf.errors import UserError
from akdg_tf.files import sha256
from akdg_tf.teachers.bank import BankedTeacher, TeacherBank, make_bank

SEED = (5, latents.TEACHER)


def draw(bank, count, step, seed=SEED):
    return [tensor.numpy() for tensor in bank.draw_pairs(tf.constant(count), seed, tf.constant(step, tf.int64))]


def test_a_draw_is_a_pair_of_a_latent_and_the_teachers_image_of_it(tmp_path):
    teacher, _ = make_teacher()
    z, images = draw(make_bank(teacher, 30, 0, tmp_path), 8, step=2)
    assert (z.shape, images.shape, images.dtype) == ((8, 4), (8, *SAMPLE_SHAPE), np.float32)
    np.testing.assert_allclose(images, teacher(z), atol=1 / 255 + 1e-6)  # half a step of uint8 over [-1, 1]


def test_points_are_kept_as_halves(tmp_path):
    model = akdg_tf.MLPGenerator(3, (2,), width=4, output_activation="linear")
    teacher = akdg_tf.FrozenGenerator(model, 3, module=model)
    bank = make_bank(teacher, 20, 0, tmp_path)
    z, points = draw(bank, 8, step=0)
    assert bank.images.dtype == np.float16 and points.dtype == np.float32
    np.testing.assert_allclose(points, teacher(z), rtol=1e-3, atol=1e-4)


def test_every_image_once_a_pass_in_an_order_of_its_own_set_by_the_seed(tmp_path):
    bank = make_bank(make_teacher()[0], 10, 0, tmp_path)
    index = {row.tobytes(): i for i, row in enumerate(bank.latents)}

    def order(seed):
        return [index[row.tobytes()] for step in range(5) for row in draw(bank, 4, step, seed)[0]]

    first, second = order(SEED)[:10], order(SEED)[10:]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second and order((6, latents.TEACHER)) != first + second
    assert order(SEED) == first + second


def test_a_bank_keeps_the_contract_of_sources(tmp_path):
    teacher, _ = make_teacher()
    contracts.pair_source_contract(make_bank(teacher, 40, 0, tmp_path), teacher, contracts.HALF_A_GRAY_LEVEL)


@pytest.mark.parametrize(("smoke", "count"), [(False, 700), (True, 500)])
def test_the_banked_source_is_one_bank_for_the_runs_of_all_seeds(smoke, count, tmp_path, monkeypatch):
    """In a smoke run it is small."""
    monkeypatch.setattr("akdg_tf.teachers.bank.BANKS", tmp_path / "banks")
    teacher, _ = make_teacher()
    source = BankedTeacher(images=700).open(teacher, smoke, contracts.no_reals)
    assert (len(source.images), source.folder.parent) == (count, tmp_path / "banks")
    assert source.folder.name == f"{teacher.digest()[:16]}-{count}-0"
    contracts.pair_source_contract(source, teacher, contracts.HALF_A_GRAY_LEVEL)


def test_a_bank_needs_a_teacher_and_an_image(tmp_path, monkeypatch):
    monkeypatch.setattr("akdg_tf.teachers.bank.BANKS", tmp_path)
    with pytest.raises(UserError, match=r"bind GeneratorExperiment\.teacher$"):
        BankedTeacher().open(None, False, contracts.no_reals)
    with pytest.raises(UserError, match="a teacher bank must hold at least 1 image, not 0"):
        BankedTeacher(images=0).open(make_teacher()[0], False, contracts.no_reals)


@pytest.mark.parametrize(
    "method", quick([akdg_tf.AKDG, akdg_tf.MSEDistillation], "AKDG", name=lambda method: method.__name__)
)
def test_two_replicas_are_one(method, tmp_path):
    weights = []
    for devices in (("CPU:0",), ("CPU:0", "CPU:1")):
        keras.utils.set_random_seed(0)
        teacher, _ = make_teacher()
        bank = make_bank(teacher, 40, 0, tmp_path)
        with mirrored(devices).scope():
            student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=16, depth=2)
            parts = (discriminator(), discriminator()) if method is akdg_tf.AKDG else ()
            trainer = method(student, *parts, bank)
            trainer.compile()
            trainer.fit(image_batches(3, batch=16), verbose=0)
        weights.append([v.numpy() for v in student.variables])
    assert len(list(tmp_path.glob("*/bank.json"))) == 1  # one and the same teacher: its bank was found again
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


def test_a_bank_is_found_again_and_never_a_wrong_one(tmp_path):
    teacher, model = make_teacher()
    bank = make_bank(teacher, 20, 0, tmp_path)
    made = (bank.folder / "images.npy").stat().st_mtime_ns
    assert make_bank(teacher, 20, 0, tmp_path).folder == bank.folder
    assert (bank.folder / "images.npy").stat().st_mtime_ns == made
    folders = {bank.folder, make_bank(teacher, 21, 0, tmp_path).folder, make_bank(teacher, 20, 1, tmp_path).folder}
    scaled = akdg_tf.FrozenGenerator(lambda z: 0.5 * model(z), 4)
    folders.add(make_bank(scaled, 20, 0, tmp_path).folder)
    model.variables[0].assign(model.variables[0] + 1e-3)
    folders.add(make_bank(teacher, 20, 0, tmp_path).folder)
    assert len(folders) == 5


def test_a_cut_making_goes_on_and_gives_the_bank_that_was_never_cut(tmp_path, monkeypatch):
    monkeypatch.setattr("akdg_tf.progress.REPORT_SECONDS", 0.0)
    teacher, _ = make_teacher()
    uncut = make_bank(teacher, 3 * latents.SAMPLING_BATCH, 0, tmp_path / "uncut")
    drawn, draw_latents = [], latents.draw

    def cut(prior, count, dim, seed, step):
        if len(drawn) == 2:
            raise KeyboardInterrupt
        drawn.append(int(step))
        return draw_latents(prior, count, dim, seed, step)

    monkeypatch.setattr(latents, "draw", cut)
    with pytest.raises(KeyboardInterrupt):
        make_bank(teacher, 3 * latents.SAMPLING_BATCH, 0, tmp_path / "cut")
    assert not list((tmp_path / "cut").glob("*/bank.json"))
    drawn.clear()
    bank = make_bank(teacher, 3 * latents.SAMPLING_BATCH, 0, tmp_path / "cut")
    assert drawn == [2]
    for name in ("images.npy", "latents.npy", "bank.json"):
        assert (bank.folder / name).read_bytes() == (uncut.folder / name).read_bytes()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("done", b"99"),
        ("done", b"-1"),
        ("done", b""),
        ("done", b"two"),
        ("done", None),
        ("images.npy", None),
        ("images.npy", b""),
        ("images.npy", 128),  # cut after its header
        ("images.npy", -1),
        ("latents.npy", 200),
    ],
)
def test_a_making_that_cannot_go_on_begins_anew_and_never_seals_images_that_were_not_drawn(
    file, content, tmp_path, monkeypatch
):
    monkeypatch.setattr("akdg_tf.progress.REPORT_SECONDS", 0.0)
    teacher, _ = make_teacher()
    uncut = make_bank(teacher, 2 * latents.SAMPLING_BATCH, 0, tmp_path / "uncut")
    part = tmp_path / "cut" / f"{uncut.folder.name}.part"
    part.mkdir(parents=True)
    for name in ("images.npy", "latents.npy"):
        (part / name).write_bytes((uncut.folder / name).read_bytes())
    (part / "done").write_text("1")
    whole = (part / file).read_bytes()
    (part / file).unlink() if content is None else (part / file).write_bytes(
        whole[:content] if isinstance(content, int) else content
    )
    bank = make_bank(teacher, 2 * latents.SAMPLING_BATCH, 0, tmp_path / "cut")
    for name in ("images.npy", "latents.npy", "bank.json"):
        assert (bank.folder / name).read_bytes() == (uncut.folder / name).read_bytes()


def test_a_large_bank_is_read_by_rows_and_gives_what_it_gives_in_memory(tmp_path, monkeypatch):
    teacher, _ = make_teacher()
    bank = make_bank(teacher, 40, 0, tmp_path)
    in_memory = draw(bank, 8, step=3)
    monkeypatch.setattr("akdg_tf.teachers.bank.IN_MEMORY", 0)
    streamed = make_bank(teacher, 40, 0, tmp_path)
    assert not isinstance(streamed._images, tf.Tensor)
    for one, other in zip(in_memory, draw(streamed, 8, step=3), strict=True):
        np.testing.assert_array_equal(one, other)
    contracts.pair_source_contract(streamed, teacher, contracts.HALF_A_GRAY_LEVEL)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing", "no manifest", "empty manifest"])
def test_a_damaged_bank_is_named_and_made_again_when_it_is_removed(damage, tmp_path):
    teacher, _ = make_teacher()
    folder = make_bank(teacher, 20, 0, tmp_path).folder
    path = folder / ("bank.json" if damage.endswith("manifest") else "images.npy")
    whole = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(whole[:-1])
    elif damage == "empty manifest":
        path.write_text("{}")
    elif damage == "flipped":
        path.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    else:
        path.unlink()
    with pytest.raises(UserError, match=rf"{folder} is damaged .*remove the folder"):
        make_bank(teacher, 20, 0, tmp_path)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    make_bank(teacher, 20, 0, tmp_path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("meta", "array"),
    [
        ({"prior": 5}, None),
        ({"prior": "nosuch"}, None),
        ({"latent_dim": "4"}, None),
        ({"count": True}, None),
        ({"sha256": []}, None),
        ([], None),
        ({}, np.zeros((20, 8, 8, 1), np.float64)),
        ({}, np.zeros((20, 64), np.uint8)),
        ({}, np.float16(0)),
        ({}, np.array([{}] * 20)),
    ],
)
def test_a_bank_of_another_kind_is_damaged_although_its_checksums_are_right(meta, array, tmp_path):
    teacher, _ = make_teacher()
    folder = make_bank(teacher, 20, 0, tmp_path).folder
    found = json.loads((folder / "bank.json").read_text())
    if array is not None:
        np.save(folder / "images.npy", array)
        found["sha256"]["images"] = sha256(folder / "images.npy")
    (folder / "bank.json").write_text(json.dumps({**found, **meta} if isinstance(meta, dict) else meta))
    with pytest.raises(UserError, match=rf"{folder} is damaged .*remove the folder"):
        TeacherBank(folder)


@pytest.mark.parametrize("name", ["images.npy", "latents.npy", "bank.json.part", "done.part"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_nothing_is_written_through_what_lies_in_an_unfinished_bank(kind, name, tmp_path):
    teacher, _ = make_teacher()
    folder = make_bank(teacher, 20, 0, tmp_path / "whole").folder
    part = tmp_path / "cut" / f"{folder.name}.part"
    part.mkdir(parents=True)
    (tmp_path / "victim").write_bytes((folder / "images.npy").read_bytes())
    before = (tmp_path / "victim").read_bytes()
    (part / name).symlink_to(tmp_path / "victim") if kind == "link" else os.mkfifo(part / name)
    bank = make_bank(teacher, 20, 0, tmp_path / "cut")
    assert (tmp_path / "victim").read_bytes() == before
    assert not any(path.is_symlink() for path in bank.folder.iterdir())
    np.testing.assert_array_equal(bank.images, TeacherBank(folder).images)


def test_a_link_in_an_unfinished_bank_is_not_continued(tmp_path):
    teacher, _ = make_teacher()
    folder = make_bank(teacher, 20, 0, tmp_path / "whole").folder
    part = tmp_path / "cut" / f"{folder.name}.part"
    shutil.copytree(folder, part)
    (part / "done").write_text("0")
    (part / "images.npy").unlink()
    (part / "images.npy").symlink_to(folder / "images.npy")
    before = (folder / "images.npy").stat().st_mtime_ns
    assert not (make_bank(teacher, 20, 0, tmp_path / "cut").folder / "images.npy").is_symlink()
    assert (folder / "images.npy").stat().st_mtime_ns == before


def test_a_bank_of_another_size_or_teacher_under_the_name_of_this_one_is_damaged(tmp_path):
    teacher, _ = make_teacher()
    right, other = (make_bank(teacher, count, 0, tmp_path).folder for count in (20, 7))
    shutil.rmtree(right)
    other.rename(right)
    with pytest.raises(UserError, match=rf"{right} is damaged \(it is the bank of another teacher, or of another size"):
        make_bank(teacher, 20, 0, tmp_path)
