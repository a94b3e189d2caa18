"""Pieces of Markdown: escaped text, links, inline code, tables."""

import html
import re
import urllib.parse
from collections.abc import Iterable, Sequence

# Characters that have a meaning in Markdown or HTML. Brackets that hold plain words and directly follow a word, as in
# "fid[c]" or "fid[c area 32x32]", are not escaped: they do not start a link unless "(" or "[" follows.
_SPECIAL = re.compile(r"((?<=\w)\[[\w.-]+(?: [\w.-]+)*\](?![(\[]))|([\\`*\[\]<>|&#~]|(?<![^\W_])_|_(?![^\W_]))")
_RULES = {"l": "---", "r": "---:"}


def escape(text: str) -> str:
    """Markdown that shows a text literally and on one line, in a paragraph or a table cell."""
    return _SPECIAL.sub(lambda found: found[1] or "\\" + found[2], one_line(text))


def attribute(text: str) -> str:
    """A text for a quoted HTML attribute, also inside a table cell."""
    return html.escape(one_line(text)).replace("|", "&#124;")


def code(text: str) -> str:
    """A text as inline code, on one line. Not for table cells, where "|" would end the cell."""
    text = one_line(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, pad = "`" * (longest + 1), " " * bool(longest)
    return f"{fence}{pad}{text}{pad}{fence}"


def link(text: str, *path: str) -> str:
    """A link to a relative path.

    Args:
        text: text of the link; it is escaped.
        path: the parts of the path; they are quoted.
    """
    return f"[{escape(text)}]({'/'.join(urllib.parse.quote(part, safe='') for part in path)})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> list[str]:
    """The lines of a table.

    Args:
        head: one cell per column, in Markdown. The caller must `escape` text from outside.
        rows: lists of cells, of the same length as the head.
        align: one letter per column, "l" for left or "r" for right; by default all columns are left-aligned.

    Raises:
        ValueError: a row has a different number of cells, or `align` a different number of letters.
    """
    rule = [_RULES[letter] for _, letter in zip(head, align or "l" * len(head), strict=True)]
    lines = [head, *rows]
    if any(len(cells) != len(head) for cells in lines):
        raise ValueError("a row of the table has a different number of cells than its head")
    return [_line(head), f"|{'|'.join(rule)}|", *map(_line, lines[1:])]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def one_line(text: str) -> str:
    """The text with each run of white space, including line ends, replaced by one space.

    Other characters that cannot be printed are replaced by "?". They could be escape sequences for a terminal.
    """
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))
