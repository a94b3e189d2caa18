"""The result of a run, of which every kind of experiment records the same things."""

from akdg_tf.artifacts import network as networks
from akdg_tf.artifacts.result import SCHEMA, ExportedModel, Network, Parent, Result
from akdg_tf.data import Dataset
from akdg_tf.training import changes, devices
from akdg_tf.training.workdir import Run


def result_of(
    run: Run,
    steps: int,
    dataset: Dataset,
    *,
    kind: str,
    method: str,
    network: Network,
    teacher: Network | None = None,
    parents: tuple[Parent, ...] = (),
    unscored: bool = False,
    litert: ExportedModel | None = None,
) -> Result:
    """The result of a finished run.

    Args:
        run: the run.
        steps: its last step.
        dataset: what it was trained on.
        kind, method, network, teacher, parents, unscored, litert: see `Result`.
    """
    return Result(
        schema=SCHEMA,
        kind=kind,
        experiment=run.experiment,
        method=method,
        network=network,
        teacher=teacher,
        parents=parents,
        dataset=dataset.name,
        split=dataset.split,
        data_digest=dataset.digest(),
        seed=run.seed,
        steps=steps,
        smoke=run.smoke,
        gin_files=run.gin_files,
        gin_params=run.gin_params,
        command=run.command(),
        machine=devices.machine(),
        dtype_policy=networks.dtype_policy_of_run(run.workdir),
        unscored=unscored,
        litert=litert,
        changes=changes.recorded(run.workdir),
    )
