"""The same on a Ray cluster of this machine. Measured is the driver, once the workers are ready."""

from __future__ import annotations

import ray

from benchmarks.remote.clients.frame import measure, read_spec
from benchmarks.remote.clients.ours import settings
from oumi.distributed import RayCluster
from oumi.inference import InferenceEngine
from oumi.runner.events import Event, WorkersReported
from oumi.runner.worker_status import WorkerState


def main() -> None:
    """Open the cluster, and answer the input file."""
    spec = read_spec()
    workers, config = spec.workers or 1, settings(spec)
    ray.init(
        "local",
        num_cpus=workers,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="warning",
    )
    with RayCluster(config, workers=workers) as engine:
        while _ready(engine) < workers:
            pass
        measure(spec, lambda: len(engine.infer_partial(inference_config=config).failures))


def _ready(engine: InferenceEngine) -> int:
    """Workers that are ready at the end of a run of one row."""
    states: list[WorkerState] = []

    def listen(event: Event) -> None:
        if isinstance(event, WorkersReported):
            states[:] = [worker.state for worker in event.workers]

    engine.infer(["Are you there?"], on_event=listen)
    return states.count(WorkerState.READY)


if __name__ == "__main__":
    main()
