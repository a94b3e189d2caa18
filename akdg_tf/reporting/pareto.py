"""What the students of the zoo cost beside their FID, for `akdg report pareto` and for the gallery."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from akdg_tf.artifacts import latency
from akdg_tf.errors import UserError, loading
from akdg_tf.reporting import markdown, pictures
from akdg_tf.reporting.comparison import bare, scoring
from akdg_tf.reporting.markdown import escape
from akdg_tf.reporting.page import Page
from akdg_tf.reporting.tables import number
from akdg_tf.zoo.entries import LITERT, Entry, entries

NAMES_PER_LINE = 3  # below the picture
THREADS = (1, 2)  # of the interpreter whose time is measured


@dataclasses.dataclass(frozen=True)
class Point:
    """A student with its costs and its FIDs.

    Attributes:
        name: of its entry.
        fids: mean over its seeds, by name; of a quantized `model.tflite`, those of its own images.
        kilobytes: size of its `model.tflite`, or of its weights in float32 if it has none, in 1,000 bytes.
        mult_adds: per image; None if they are unknown.
        milliseconds: time per image in LiteRT, by the number of threads; {} if it was not measured.
    """

    name: str
    fids: Mapping[str, float]
    kilobytes: float
    mult_adds: int | None
    milliseconds: Mapping[int, float]

    @property
    def fid(self) -> float:
        """The first FID, by which students are compared."""
        return next(iter(self.fids.values()))


Cost = Callable[[Point], float | None]


def _time(threads: int, point: Point) -> float | None:
    return point.milliseconds.get(threads)


COSTS: dict[str, Cost] = {"kB": lambda point: point.kilobytes, "mult-adds": lambda point: point.mult_adds}
COSTS |= {f"ms per image, {n} thread{'s' * (n > 1)}": functools.partial(_time, n) for n in THREADS}


def groups(zoo: pathlib.Path, timed: bool) -> dict[str, list[Point]]:
    """The students of a zoo by what defines their scores: only those of one group can be compared.

    Args:
        zoo: folder of the zoo.
        timed: whether the time of each `model.tflite` is measured.

    Returns:
        The points of each group, by the words of `comparison.scoring`; students without a FID are left out.

    Raises:
        UserError: an entry cannot be read.
    """
    found: dict[str, list[Point]] = {}
    times: dict[tuple, dict[int, float]] = {}
    for entry in entries(zoo):
        if entry.kind == "student" and any(bare(name) == "fid" for name in entry.result.scores_of_file()):
            found.setdefault(scoring(entry.result), []).append(_point(entry, times if timed else None))
    return found


def _point(entry: Entry, times: dict[tuple, dict[int, float]] | None) -> Point:
    """A student; `times` keeps those of networks that differ in their weights alone, None: no time is measured."""
    network, model = entry.result.network, entry.folder / LITERT
    content = model.read_bytes() if model.exists() else None
    size = len(content) if content else network.bytes or 0
    measured: dict[int, float] = {}
    if times is not None and content:
        alike = (network.network, network.mult_adds, size)
        if alike not in times:
            with loading(model):
                times[alike] = {n: latency.milliseconds_of(content, n) for n in THREADS}
        measured = times[alike]
    scores = entry.result.scores_of_file().items()
    fids = {name: one.mean for name, one in scores if bare(name) == "fid"}
    return Point(entry.name, fids, size / 1e3, network.mult_adds, measured)


def front(points: Sequence[Point], cost: Cost) -> set[str]:
    """Names of the students that no other one beats: none has both a lower cost and a FID that is not higher."""
    best, found = float("inf"), set()
    for _, point in known(points, cost):
        if point.fid < best:
            best = point.fid
            found.add(point.name)
    return found


def in_order(points: Sequence[Point]) -> list[Point]:
    """The students from the smallest file to the largest."""
    return sorted(points, key=lambda each: each.kilobytes)


def table(points: Sequence[Point], definition: str) -> str:
    """The students of a group in Markdown, from the smallest to the largest."""
    fronts = {name: front(points, cost) for name, cost in COSTS.items()}
    rows = []
    for point in in_order(points):
        costs = {name: cost(point) for name, cost in COSTS.items()}
        cells = [
            "" if value is None else f"{_amount(value)}{' *' * (point.name in fronts[name])}"
            for name, value in costs.items()
        ]
        rows.append([escape(point.name), *(number(value) for value in point.fids.values()), *cells])
    head = ["student", *map(escape, points[0].fids), *COSTS]
    lines = markdown.table(head, rows, "l" + "r" * (len(head) - 1))
    return "\n".join([*lines, "", f"\\*: no student is both cheaper and better. {escape(definition)}."])


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def picture(points: Sequence[Point]) -> np.ndarray:
    """The FID against each known cost, on logarithmic axes; a line joins the students that no other one beats.

    The students have the numbers of their rows in the table. Their names stand below.

    Returns:
        uint8 [height, width, 3].
    """
    shown = {name: known(points, cost) for name, cost in COSTS.items()}
    shown = {name: found for name, found in shown.items() if found}
    rows, lines = -(-len(shown) // 2), -(-len(points) // NAMES_PER_LINE)
    canvas = pictures.new_canvas((12, 4.5 * rows + 0.25 * lines))
    numbers = {point.name: number for number, point in enumerate(in_order(points), 1)}
    axes = canvas.figure.subplots(rows, 2, squeeze=False, sharey=True)
    for axis, (name, found) in zip(axes.flat, shown.items(), strict=False):
        _draw(axis, found, front(points, COSTS[name]), numbers)
        axis.set(xlabel=name, ylabel=next(iter(points[0].fids)))
    for axis in axes.flat[len(shown) :]:
        axis.set_axis_off()
    _list_names(canvas.figure, numbers)
    return pictures.drawn(canvas)


def _list_names(figure, numbers: Mapping[str, int]) -> None:
    from matplotlib.lines import Line2D  # see `pictures.new_canvas`

    names = [f"{number}: {name}" for name, number in numbers.items()]
    handles = [Line2D([], [], linestyle="") for _ in names]
    place = {"loc": "outside lower left", "ncols": NAMES_PER_LINE, "handlelength": 0, "fontsize": 9, "frameon": False}
    for text in figure.legend(handles, names, **place).get_texts():
        text.set_parse_math(False)


def known(points: Sequence[Point], cost: Cost) -> list[tuple[float, Point]]:
    """The students whose cost is known, with it, from the cheapest on; of equal costs, the best is first."""
    pairs = [(value, point) for point in points if (value := cost(point)) is not None]
    return sorted(pairs, key=lambda pair: (pair[0], pair[1].fid))


def _draw(axis, found: Sequence[tuple[float, Point]], best: set[str], numbers: Mapping[str, int]) -> None:
    from matplotlib.ticker import LogFormatter  # see `pictures.new_canvas`

    for cost, point in found:
        axis.plot(cost, point.fid, "o", color="tab:blue" if point.name in best else "lightgray")
        axis.annotate(str(numbers[point.name]), (cost, point.fid), (4, 4), textcoords="offset points", fontsize=8)
    line = [(cost, point.fid) for cost, point in found if point.name in best]
    axis.plot(*zip(*line, strict=True), color="tab:blue", linewidth=1)
    axis.set(xscale="log", yscale="log")
    for each in (axis.xaxis, axis.yaxis):
        each.set(major_formatter=LogFormatter(), minor_formatter=LogFormatter(minor_thresholds=(1, 0.5)))
    axis.tick_params(which="both", labelsize=7)
    axis.margins(0.1, 0.1)


def names(found: Mapping[str, Sequence[Point]]) -> dict[str, str]:
    """A short name for the files of each group: "pareto_1", "pareto_2" and so on, in their order."""
    return {definition: f"pareto_{i}" for i, definition in enumerate(found, 1)}


def pages(zoo: pathlib.Path) -> Iterator[Page]:
    """One page per group of comparable students.

    Raises:
        UserError: the zoo holds no student with a FID, or an entry cannot be read.
    """
    found = groups(zoo, timed=True)
    if not found:
        raise UserError(f"{zoo} holds no student with a FID")
    for definition, name in names(found).items():
        points = found[definition]
        yield Page(name, table(points, definition), {name: functools.partial(picture, points)})
