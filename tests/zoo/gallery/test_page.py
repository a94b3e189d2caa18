"""The gallery's page in a real headless Chromium: it draws what Python draws. Served below a sub-path, on loopback."""

import functools
import http.server
import json
import re
import shutil
import threading

import numpy as np
import pytest
import tensorflow as tf
from gallery_site import (
    COLOUR,
    FLAGS,
    GRAY,
    GRAY_LEVELS,
    TEACHER,
    Page,
    Quiet,
    all_differ,
    difference,
    make_zoo,
    tiles,
    unavailable,
)
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from akdg_tf.artifacts.litert import LiteRT
from akdg_tf.artifacts.network import load_network
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator
from akdg_tf.reporting import pictures
from akdg_tf.teachers.load import load_teacher
from akdg_tf.zoo.entries import Entry
from akdg_tf.zoo.gallery import build as gallery
from akdg_tf.zoo.gallery import litert_js


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder below whose `sub/path` the gallery lies, and each student's first 16 images from its SavedModel."""
    if not shutil.which("npm"):
        unavailable("npm is not installed")
    root = tmp_path_factory.mktemp("site")
    expected = make_zoo(root / "zoo")
    try:
        for _ in range(2):  # the second time over the first
            gallery.build(root / "zoo", root / "sub" / "path")
    except UserError as error:
        unavailable(error)
    return root, expected


@pytest.fixture(scope="module")
def address(site):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site[0])) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/sub/path/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        unavailable("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=Service(driver)) as browser:
        browser.implicitly_wait(0)
        yield browser


@pytest.fixture
def page(browser, address):
    return Page(browser, address).ready()


def test_the_page_loads_without_errors_and_from_its_own_host_alone(page):
    page.choose(GRAY)
    assert [entry for entry in page.browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    messages = [json.loads(entry["message"])["message"] for entry in page.browser.get_log("performance")]
    requests = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert len(requests) > 10 and [url for url in requests if not url.startswith(page.address)] == []
    # The same server under another name, which without the page's policy would answer.
    other = page.address.replace("127.0.0.1", "localhost")
    script = "fetch(arguments[0], {mode: 'no-cors'}).then(() => arguments[1]('sent'), () => arguments[1]('refused'))"
    assert page.browser.execute_async_script(script, other) == "refused"


@pytest.mark.parametrize(("name", "side"), [(GRAY, 8), (COLOUR, 16)])
def test_the_browser_draws_what_python_draws(name, side, page, site):
    page.choose(name)
    expected = pictures.tile(site[1][name], 8)
    assert expected.std() > 20 and len({tile.tobytes() for tile in tiles(expected, side)}) == 16
    assert difference(page.pixels("#images"), expected) <= GRAY_LEVELS
    assert re.search(r"Largest difference of a pixel: [01] of 255\.", page.get("#agreement").text)
    assert float(re.match(r"([\d.]+) ms per image", page.get("#speed").text)[1]) > 0
    assert "wasm" in page.get("#speed").text


@pytest.mark.parametrize("weights", ["int8_full", "int4"])
def test_the_browser_draws_what_python_draws_from_quantized_weights(weights, page, site, tmp_path):
    folder = site[0] / "sub" / "path"
    model, generator = folder / "models" / f"{COLOUR}.tflite", load_network(site[0] / "zoo" / COLOUR / "saved_model")
    before, data = model.read_bytes(), (folder / "data.js").read_text()
    LiteRT(weights).write(generator, tmp_path)
    model.write_bytes(litert_js.fixed_batch((tmp_path / "model.tflite").read_bytes()))
    (folder / "data.js").write_text(data.replace('"weights": "float32"', f'"weights": "{weights}"'))
    page = Page(page.browser, page.address).ready()
    page.choose(COLOUR)
    latents = np.float32(gallery.first_latents(Entry(site[0] / "zoo" / COLOUR)))
    drawn = load_teacher(str(tmp_path / "model.tflite"))(tf.constant(latents)).numpy()
    model.write_bytes(before)
    (folder / "data.js").write_text(data)
    assert difference(page.pixels("#images"), pictures.tile(drawn, 8)) <= GRAY_LEVELS
    assert difference(page.pixels("#images"), pictures.tile(site[1][COLOUR], 8)) > GRAY_LEVELS
    assert page.get("#agreement").text.endswith(f"which the model stores in {weights}.")


def test_a_class_is_chosen_where_there_are_classes(page, site, tmp_path):
    """The image of this generator depends on the class alone."""
    assert not page.get("#label").is_displayed()
    generator = DCGANGenerator(6, (16, 16, 3), (8, 6, 4), classes=2)
    first, *others = generator.get_weights()
    first[:4] = 0.0
    generator.set_weights([10 * first, *others])
    LiteRT().write(generator, tmp_path)
    folder = site[0] / "sub" / "path"
    model, data = folder / "models" / f"{COLOUR}.tflite", folder / "data.js"
    before = model.read_bytes(), data.read_text()
    model.write_bytes(litert_js.fixed_batch((tmp_path / "model.tflite").read_bytes()))
    data.write_text(before[1].replace('"classes": 0', '"classes": 2'))
    page = Page(page.browser, page.address).ready()
    page.choose(COLOUR)
    model.write_bytes(before[0])
    data.write_text(before[1])
    z = tf.concat([tf.random.normal((2, 4)), tf.eye(2)], 1)
    for label, image in enumerate(load_teacher(str(tmp_path / "model.tflite"))(z).numpy()):
        Select(page.get("#label")).select_by_visible_text(str(label))
        expected = pictures.tile(np.stack([image] * 16), 8)
        page.until(lambda expected=expected: difference(page.pixels("#images"), expected) <= GRAY_LEVELS)


def test_new_images_are_new_and_the_first_come_back(page):
    page.choose(GRAY)
    first = page.pixels("#images")
    for _ in range(2):
        before = page.pixels("#images")
        page.get("#draw").click()
        page.until(lambda before=before: all_differ(tiles(page.pixels("#images"), 8), tiles(before, 8)))
    assert page.get("#agreement").text == ""
    page.get("#again").click()
    page.until(lambda: page.get("#agreement").text)
    assert difference(page.pixels("#images"), first) == 0


MOVE = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'));"


def between(site):
    """Python's image half way from the first latent to the last: their sum, scaled to the great circle's middle."""
    a, *_, b = np.array(gallery.first_latents(Entry(site[0] / "zoo" / GRAY)))
    angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    generator = load_teacher(str(site[0] / "zoo" / GRAY / "saved_model"))
    return pictures.tile(generator(tf.constant([(a + b) / (2 * np.cos(angle / 2))], tf.float32)), 1)


def test_the_slider_goes_from_the_first_image_to_the_last(page, site):
    page.choose(GRAY)
    images = tiles(page.pixels("#images"), 8)
    for key, end, image in ((Keys.HOME, "#start", images[0]), (Keys.END, "#end", images[-1])):
        assert difference(page.pixels("#middle"), image) > GRAY_LEVELS
        page.get("#position").send_keys(key)
        page.until(lambda image=image: difference(page.pixels("#middle"), image) == 0)
        assert difference(page.pixels(end), image) == 0
    page.browser.execute_script(MOVE, page.get("#position"), 0.5)
    page.until(lambda: difference(page.pixels("#middle"), between(site)) <= GRAY_LEVELS)
    Select(page.get("#component")).select_by_visible_text("z[2]")
    page.get("#value").send_keys(Keys.END)
    page.until(lambda: difference(page.pixels("#middle"), between(site)) > GRAY_LEVELS)


def test_the_table_sorts_numbers_as_numbers(page):
    def head(text):
        return next(h for h in page.browser.find_elements(By.CSS_SELECTOR, "thead th") if text in h.text)

    assert page.column(1) == [TEACHER, COLOUR, GRAY] and head("generator").get_attribute("aria-sort") == "ascending"
    head("params").find_element(By.TAG_NAME, "button").click()
    assert page.column(4) == ["30", "200", "1,000"] and head("params").get_attribute("aria-sort") == "ascending"
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.column(4) == ["1,000", "200", "30"] and head("params").get_attribute("aria-sort") == "descending"
    assert head("generator").get_attribute("aria-sort") is None
    head("SavedModel").find_element(By.TAG_NAME, "button").click()
    assert page.column(6) == ["30 kB", "400 kB", "2.00 MB"]
    head("fid").find_element(By.TAG_NAME, "button").click()
    assert page.column(9) == ["9.25", "10", "100.5"]
    Select(page.get("#shown")).select_by_visible_text(f"{TEACHER} and its students")
    assert page.column(1) == [TEACHER, GRAY]


def test_teacher_and_students_stand_side_by_side(page):
    groups = page.browser.find_elements(By.CSS_SELECTOR, ".group")
    names = [[name.text for name in group.find_elements(By.CSS_SELECTOR, "figcaption strong")] for group in groups]
    assert names == [[TEACHER, GRAY], [COLOUR]] and "elsewhere" in groups[1].text
    widths = page.browser.execute_script(
        "return [...document.querySelectorAll('#groups img')].map((image) => image.naturalWidth)"
    )
    assert widths == [64, 64, 128]
    notes = page.get("#notes").text
    assert "fid[c]: n_real 9, n_fake 9, classifier c, dataset d, split s, resize none." in notes
    assert "Classifier for scores: judge, correct on 75.00 % of 1,000 images (test)." in notes


def test_quality_is_shown_against_cost_for_students_that_can_be_compared(page):
    """The two students were scored with other latents, so that each has a picture of its own."""
    figures = page.browser.find_elements(By.CSS_SELECTOR, "#costs figure")
    widths = [figure.find_element(By.TAG_NAME, "img").get_property("naturalWidth") for figure in figures]
    assert len(widths) == 2 and min(widths) > 1000
    assert "9 generated and 9 real images, dataset d" in figures[0].text


def test_a_model_that_is_missing_is_one_line_and_the_next_one_draws(page, site):
    model = site[0] / "sub" / "path" / "models" / f"{COLOUR}.tflite"
    page.choose(GRAY)
    hidden = model.rename(model.with_suffix(".hidden"))
    page.choose(COLOUR)
    hidden.rename(model)
    assert page.pixels("#images").max() == 0  # nobody else's images stand under its name
    assert page.get("#problem").text == (
        f"Drawing failed: models/{COLOUR}.tflite could not be fetched (404 File not found)"
    )
    page.choose(GRAY)
    assert not page.get("#problem").is_displayed() and page.get("#agreement").text


def test_opened_as_a_file_the_page_shows_all_but_the_drawing(browser, site):
    page = Page(browser, (site[0] / "sub" / "path" / "index.html").as_uri()).ready()
    assert "python -m http.server" in page.get("#problem").text and not page.get("#controls").is_displayed()
    test_teacher_and_students_stand_side_by_side(page)
    assert page.column(1) == [TEACHER, COLOUR, GRAY]


def test_a_generator_without_scores_is_marked_and_its_cells_are_empty(browser, site, tmp_path):
    folder = shutil.copytree(site[0] / "sub" / "path", tmp_path / "page")
    data = json.loads((folder / "data.js").read_text().removeprefix(gallery.MARK).rstrip(";\n"))
    (colour,) = (row for row in data["generators"] if row["name"] == COLOUR)
    colour |= {"metrics": {}, "unscored": True}
    (folder / "data.js").write_text(f"{gallery.MARK}{json.dumps(data)};\n")
    page = Page(browser, (folder / "index.html").as_uri()).ready()
    assert page.column(2) == ["teacher (vanilla GAN)", "AKDG, unscored", "AKDG"]
    assert page.column(9) == ["10", "", "100.5"]
    captions = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "#groups figcaption")]
    assert [caption.splitlines()[-1] for caption in captions] == ["fid 10", "fid 100.5", "unscored"]


def test_without_webassembly_the_page_says_so(browser, address):
    off = {"source": "delete globalThis.WebAssembly"}
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", off)
    page = Page(browser, address).ready()
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert "needs WebAssembly" in page.get("#problem").text


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_is_wider_than_the_screen(width, browser, address):
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    Page(browser, address).ready()
    wide = browser.execute_script("return document.documentElement.scrollWidth > window.innerWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not wide
