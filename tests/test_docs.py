"""The documentation: its links lead somewhere, what it names exists, and the site builds without a network."""

import configparser
import html
import importlib
import os
import re
import subprocess
import sys

import pytest
import yaml
from support import ROOT

import akdg_tf

PAGES = [*map(ROOT.joinpath, ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "zoo/README.md"))]
PAGES += [*sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("zoo/*/card.md"))]
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NAMED_PATH = re.compile(r"`((?:akdg_tf|benchmarks|docs|gin|tests)/[\w./-]+)`")
DIRECTIVE = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
FENCE = re.compile(r"^ *```(?:\w+(?: title=\"[^\"]+\")?)?$")
LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")


def prose(page):
    """The text of a page without its code."""
    return CODE.sub("", page.read_text())


def anchors(page):
    """What the headings of a page are linked by."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    kept = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in HEADING.findall(text))
    return {"-".join(heading.split()) for heading in kept}


def broken_links(page):
    """The relative links and images of a page that lead nowhere."""
    broken = []
    for inline, tag in LINK.findall(prose(page)):
        path, _, anchor = (inline or tag).partition("#")
        if path.startswith(("http:", "https:")):
            continue
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(inline or tag)
    return broken


def test_no_page_and_no_gin_file_holds_the_marks_of_a_merge():
    marked = re.compile(r"^(<{7}|>{7}|\|{7}) ", re.MULTILINE)
    pages = [*PAGES, *(ROOT / "gin").glob("*.gin")]
    assert [page.name for page in pages if marked.search(page.read_text(encoding="utf-8"))] == []


def test_a_block_of_code_begins_and_ends_on_lines_of_their_own():
    fences = [(page.name, line) for page in PAGES for line in page.read_text().splitlines() if "```" in line]
    assert [(name, line) for name, line in fences if not FENCE.match(line)] == []


def test_every_benchmark_is_listed():
    section = (ROOT / "docs/speed.md").read_text().partition("## The benchmarks")[2]
    assert set(re.findall(r"`(\w+\.py)`", section)) == {path.name for path in (ROOT / "benchmarks").glob("*.py")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_images_lead_somewhere(page):
    assert broken_links(page) == []


def test_every_page_is_in_the_table_of_the_readme():
    listed = re.findall(r"^\| \[.*?\]\((\S+?)\) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")} <= set(listed)


def test_the_links_of_a_card_lead_into_the_repository_after_the_command_for_the_hub():
    """`sed`, as docs/use_a_student.md shows it, but without writing the file."""
    (line,) = re.findall(r"^(sed .*) > /tmp/README.md$", (ROOT / "docs" / "use_a_student.md").read_text(), re.MULTILINE)
    url = "https://example.org/blob/main"
    environment = {**os.environ, "URL": url}
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    links = [target.partition("#")[0] for target, _ in LINK.findall(CODE.sub("", done.stdout))]
    outside = [target.removeprefix(f"{url}/") for target in links if target.startswith(url)]
    assert {"docs/use_a_student.md", "docs/results.md", "zoo/mnist_sngan_teacher/card.md"} == set(outside)
    assert set(links) - {f"{url}/{path}" for path in outside} == {"samples.png"}


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    links = "[a](no.md) ![b](no.png) [c](#no) [d](page.md#no) <img src='x.png'><img src=\"no2.png\">"
    page.write_text(
        f"# A heading, and `code`\n{links} [e](#a-heading-and-code) [f](https://no.example) `[g](no3.md)`\n"
    )
    assert broken_links(page) == ["no.md", "no.png", "#no", "page.md#no", "no2.png"]


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name != "zoo"], ids=lambda page: page.stem)
def test_files_that_are_named_exist(page):
    assert [path for path in NAMED_PATH.findall(page.read_text()) if not (ROOT / path).exists()] == []


def test_the_api_page_has_every_public_name_at_its_module():
    paths = DIRECTIVE.findall((ROOT / "docs" / "api.md").read_text())
    assert sorted(path.rpartition(".")[2] for path in paths) == akdg_tf.__all__
    for path in paths:
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(module), name) is getattr(akdg_tf, name)
        assert getattr(akdg_tf, name).__module__ == module


def test_every_dependency_is_explained():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    names = {
        re.split(r"[\s\[<>=~]", line)[0] for text in lines for line in text.splitlines() if line[:1] not in ("", "#")
    }
    page = (ROOT / "docs" / "dependencies.md").read_text()
    assert len(names) > 15
    assert [name for name in sorted(names) if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", page)] == []


def test_the_citation_names_this_version_and_the_paper():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"]) == (setup["metadata"]["version"], setup["metadata"]["license"])
    paper = citation["preferred-citation"]
    assert citation["references"] == [paper] and paper["year"] == 2020
    names = [author["family-names"] for author in paper["authors"]]
    assert names == ["Tsunashima", "Kataoka", "Yamato", "Chen", "Morishima"]


def test_the_site_builds_and_loads_nothing_from_another_host(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", f"--site-dir={tmp_path}"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) >= len(PAGES)
    assert akdg_tf.AKDG.__doc__.splitlines()[0] in html.unescape((tmp_path / "api.html").read_text())
    assert [match for page in pages for match in LOADED.findall(page.read_text())] == []
