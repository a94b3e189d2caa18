"""Pieces of Markdown: text from outside, which must not become markup, links, inline code, tables."""

import html
import re
import urllib.parse
from collections.abc import Iterable, Sequence

# What means something in Markdown or HTML. Brackets that directly follow a word stay as they are, as in "fid[c]": they
# begin no link, unless "(" or "[" comes next.
_SPECIAL = re.compile(r"((?<=\w)\[[\w.-]+\](?![(\[]))|([\\`*\[\]<>|&#~]|(?<![^\W_])_|_(?![^\W_]))")
_RULES = {"l": "---", "r": "---:"}


def escape(text: str) -> str:
    """Text as Markdown that shows it on one line, literally, in a paragraph as in a cell of a table."""
    return _SPECIAL.sub(lambda found: found[1] or "\\" + found[2], one_line(text))


def attribute(text: str) -> str:
    """Text for a quoted attribute of HTML, which may stand in a cell of a table."""
    return html.escape(one_line(text)).replace("|", "&#124;")


def code(text: str) -> str:
    """Text as inline code, on one line; not for a cell of a table, where "|" would end the cell."""
    text = one_line(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, pad = "`" * (longest + 1), " " * bool(longest)
    return f"{fence}{pad}{text}{pad}{fence}"


def link(text: str, *path: str) -> str:
    """A link with this text to a relative path, which is given in parts."""
    return f"[{escape(text)}]({'/'.join(urllib.parse.quote(part, safe='') for part in path)})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> list[str]:
    """The lines of a table.

    Args:
        head: a cell for each column, in Markdown: what comes from outside is to be `escape`d.
        rows: so many cells each.
        align: "l" or "r" for each column, left or right; by default all are left.

    Raises:
        ValueError: a row has another number of cells, or `align` another number of letters.
    """
    rule = [_RULES[letter] for _, letter in zip(head, align or "l" * len(head), strict=True)]
    lines = [head, *rows]
    if any(len(cells) != len(head) for cells in lines):
        raise ValueError("a row of the table has another number of cells than its head")
    return [_line(head), f"|{'|'.join(rule)}|", *map(_line, lines[1:])]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def one_line(text: str) -> str:
    """Text with every run of white space, line ends included, as one space."""
    return " ".join(text.split())
