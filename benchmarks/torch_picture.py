"""Draws what `torch_gpu.py` found.

    python benchmarks/torch_picture.py teachers RESULTS PNG    # the students' Frechet distances over their teachers'
    python benchmarks/torch_picture.py curves FOLDER PNG       # distances over steps, of each network and method

RESULTS is results.json of the round `teachers`. FOLDER holds the runs that `torch_convert.py students` made.
"""

import argparse
import json
import pathlib
import re

import numpy as np

from akdg_tf.reporting import curves, pictures

AKDG = re.compile(r"akdg, teacher (\d+), lambda (\S+)")


def over_teachers(results: pathlib.Path) -> np.ndarray:
    """The picture of the round `teachers`, uint8 [height, width, 3]."""
    found = {each["what"]: each["fid"] for each in json.loads(results.read_text())}
    teachers = [fid for name, fid in found.items() if name.startswith("teacher_")]
    students = [(*match.groups(), fid) for name, fid in found.items() if (match := AKDG.fullmatch(name))]
    canvas = pictures.new_canvas((10, 3.6))
    for axis, space in zip(canvas.figure.subplots(1, 2), found["vanilla"], strict=True):
        for weight in dict.fromkeys(weight for _, weight, _ in students):
            points = [(teachers[int(i)][space], fid[space]) for i, each, fid in students if each == weight]
            axis.plot(*zip(*sorted(points), strict=True), marker="o", label=f"AKDG, λ = {weight}")
        axis.axhline(found["vanilla"][space], color="gray", linestyle="--", label="vanilla")
        axis.set(xlabel="fid of the teacher", ylabel="fid of the student", title=space)
        axis.legend()
    return pictures.drawn(canvas)


def over_steps(folder: pathlib.Path) -> np.ndarray | None:
    """The curves of the runs in a folder, see `curves.picture`."""
    panels = {
        network: {method: sorted(folder.glob(f"{network.lower()}_{method.lower()}_*")) for method in METHODS}
        for network in ("DCGAN", "MLP")
    }
    return curves.picture(panels)


METHODS = ("vanilla", "MSE", "AKDG")
PICTURES = {"teachers": over_teachers, "curves": over_steps}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", choices=PICTURES)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("png", type=pathlib.Path)
    arguments = parser.parse_args()
    pictures.save_png(PICTURES[arguments.picture](arguments.source), arguments.png)


if __name__ == "__main__":
    main()
