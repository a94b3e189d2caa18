"""Made-up runs of the batch-size study."""

from made_up_zoo import made_up_network, made_up_result, made_up_score

from akdg_tf.files import write_json


def write_study_run(runs, method, batch, steps, fid=1.0, seed=0, family="toy", **changes):
    """The folder of a finished run, with its result and its batch size; `changes` are of its result."""
    folder = runs / f"{family}_{method}-b{batch}-{steps}-seed{seed}"
    network = made_up_network(folder.name, scores={"is[c]": made_up_score(9.0), "fid[c]": made_up_score(fid)})
    result = made_up_result(f"{family}_{method}", **{"network": network, "seed": seed, "steps": steps, **changes})
    folder.mkdir(parents=True)
    write_json(folder / "result.json", result.to_json())
    (folder / "operative_config.gin").write_text(f"Schedule.batch_size = {batch}\nSchedule.steps = {steps}\n")
    return folder


def write_study(runs):
    """Three batch sizes by both methods, at 6,400 images and at 100 steps; two seeds of AKDG at batch 64 and 16."""
    for method, fid in (("akdg", 2.0), ("vanilla", 4.0)):
        write_study_run(runs, method, 16, 400, 10 * fid)
        write_study_run(runs, method, 16, 100, 20 * fid)
        write_study_run(runs, method, 64, 100, fid)
        write_study_run(runs, method, 256, 25, 5 * fid)
        write_study_run(runs, method, 256, 100, fid / 2)
    write_study_run(runs, "akdg", 64, 100, 4.0, seed=1)
    return runs
