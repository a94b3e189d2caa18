"""The site shows the repository's own pages, outside `docs/` too; their links are rewritten to the places they get."""

import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parent.parent
OUTSIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE", "CITATION.cff", "zoo/README.md")
OUTSIDE_PATTERNS = ("zoo/*/card.md", "zoo/*/samples.png", "zoo/*/LICENSE")
TARGET = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")


def on_files(files, config):
    """Adds the pages and pictures that are not in `docs/`."""
    found = (path.relative_to(ROOT).as_posix() for pattern in OUTSIDE_PATTERNS for path in sorted(ROOT.glob(pattern)))
    for path in (*OUTSIDE, *found):
        files.append(File.generated(config, site_path(path), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown, page, **_):
    """Rewrites relative links, which are right in the repository, to be right on the site."""
    place = page.file.src_uri
    source = pathlib.Path(page.file.abs_src_path).relative_to(ROOT).as_posix()

    def rewritten(match):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[1]))
        return posixpath.relpath(site_path(target), posixpath.dirname(place) or ".")

    return TARGET.sub(rewritten, markdown)


def site_path(path: str) -> str:
    """Where the site has a file of the repository: `docs/` is its root, README.md its first page."""
    return "index.md" if path == "README.md" else path.removeprefix("docs/")
