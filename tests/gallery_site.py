"""What the test of the gallery's page stands on: a made-up zoo, a server, and the page as a visitor meets it."""

import http.server
import os

import numpy as np
import pytest
from made_up_zoo import made_up_network, made_up_score, write_metrics
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait
from support import not_gray

from akdg_tf.artifacts.litert import litert_model
from akdg_tf.artifacts.result import ExportedModel
from akdg_tf.artifacts.saved_model import export_generator
from akdg_tf.models import DCGANGenerator, MLPGenerator
from akdg_tf.reporting import pictures
from akdg_tf.teachers.load import load_teacher
from akdg_tf.zoo import checksums

GRAY, COLOUR, TEACHER = "gray#1 <i>&?%41", "colour", "a_teacher"  # what means something in HTML or an address
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
GRAY_LEVELS = 1  # the tolerance: a float32 of another machine may round to the level beside
PATIENCE = 30  # seconds


def unavailable(reason):
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"the gallery's page is not tested: {reason}")


def make_zoo(zoo):
    """Makes a teacher, a gray and a colour student, and a classifier; returns the students' first 16 images."""
    gray, colour = MLPGenerator(4, (8, 8, 1), width=8, depth=1), DCGANGenerator(6, (16, 16, 3), (8, 6, 4))
    make_entry(zoo / TEACHER, MLPGenerator(4, (8, 8, 1), width=16, depth=1), 0, None, 1000, 2_000_000, 10.0)
    expected = {
        GRAY: make_entry(zoo / GRAY, gray, 1, TEACHER, 200, 30_000, 100.5),
        COLOUR: make_entry(zoo / COLOUR, colour, 2, "elsewhere", 30, 400_000, 9.25),
    }
    (zoo / GRAY / "model.tflite").write_bytes(litert_model(gray, (0, 1)))
    (zoo / COLOUR / "model.tflite").write_bytes(litert_model(colour, (0, 1), weights="float16"))
    for name in (TEACHER, GRAY, COLOUR):
        for file in ("card.md", "config.gin"):
            (zoo / name / file).write_text("")
        checksums.seal(zoo / name)
    scores = {"accuracy": made_up_score(0.75, n_real=1000, split="test")}
    write_metrics(zoo / "judge", kind="classifier", network=made_up_network("judge", scores=scores))
    return expected


def make_entry(folder, model, seed, teacher_name, params, file_size, fid):
    export_generator(not_gray(model), folder / "saved_model", (0, 1))
    samples = load_teacher(str(folder / "saved_model")).samples(64, seed)
    pictures.save_png(pictures.tile(samples, 8), folder / "samples.png")
    counts = {"params": params, "mult_adds": 5, "latent_dim": model.latent_dim, "file_size": file_size}
    scores = {"fid[c]": made_up_score(fid, seed=seed)}
    record = {"seed": seed, "network": made_up_network(folder.name, scores=scores, **counts)}
    if teacher_name:
        record |= {"teacher": made_up_network(teacher_name), "litert": ExportedModel(9, "float32", 64, 0.0)}
    write_metrics(folder, **record)
    return samples[:16]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


class Page:
    """The page as a visitor meets it."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(address)

    def get(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def until(self, condition):
        WebDriverWait(self.browser, PATIENCE, poll_frequency=0.1).until(lambda _: condition())

    def ready(self):
        self.until(lambda: self.get("#speed").text or self.get("#problem").text)
        return self

    def pixels(self, canvas):
        script = """const canvas = document.querySelector(arguments[0]);
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return [canvas.height, canvas.width, Array.from(data)];"""
        height, width, data = self.browser.execute_script(script, canvas)
        return np.array(data).reshape(height, width, 4)[..., :3]

    def choose(self, name):
        Select(self.get("#student")).select_by_visible_text(name)
        self.ready()

    def column(self, index):
        return [cell.text for cell in self.browser.find_elements(By.CSS_SELECTOR, f"tbody tr > :nth-child({index})")]


def difference(ours, theirs):
    return np.abs(ours.astype(int) - theirs.astype(int)).max()


def tiles(image, side):
    return [image[y : y + side, x : x + side] for y in range(0, 2 * side, side) for x in range(0, 8 * side, side)]


def all_differ(ours, theirs):
    return all((a != b).any() for a, b in zip(ours, theirs, strict=True))
