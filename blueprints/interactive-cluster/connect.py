"""Connect to a running cluster and use each of its worker groups."""

from __future__ import annotations

import ray


@ray.remote
def where() -> str:
    """Return the worker group of the node that this runs on."""
    context = ray.get_runtime_context()
    return str(context.get_node_labels()["ray.io/node-group"])


def main() -> None:
    """Run one task on a CPU, one on a GPU and one on a Spot worker."""
    tasks = {
        "cpu": where,
        "gpu": where.options(num_gpus=1),
        "spot": where.options(label_selector={"ray.io/market-type": "spot"}),
    }
    running = {name: task.remote() for name, task in tasks.items()}
    for name, result in running.items():
        print(f"{name}: ran on a worker of group {ray.get(result)}")


if __name__ == "__main__":
    ray.init(logging_level="WARNING", log_to_driver=False)
    main()
