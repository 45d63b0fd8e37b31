"""The machines of a distributed run: which there are, and waiting for them."""

import collections
import json
import os
import socket
import threading
import time

import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config

__all__ = ["Cluster", "reach", "read_cluster", "serve_parameters"]


class Cluster(collections.namedtuple("Cluster", "ps workers job index")):
    """The machines of a run: addresses of parameter servers and workers, and which of them this process is.

    `workers` is a list of (job, index, address), the chief first.
    """

    @property
    def number(self):
        """This worker's place among the workers; None for a parameter server."""
        tasks = [(job, index) for job, index, _ in self.workers]
        return tasks.index((self.job, self.index)) if self.job != "ps" else None

    def server(self):
        """TensorFlow's server for this process."""
        jobs = {"ps": dict(enumerate(self.ps))}
        for job, index, address in self.workers:
            jobs.setdefault(job, {})[index] = address
        return tf.train.Server(
            tf.train.ClusterSpec(jobs), job_name=self.job, task_index=self.index, config=session_config()
        )


def read_cluster(ps=None, workers=None, task=None):
    """The cluster that the options or else the variable TF_CONFIG name.

    Args:
      ps: addresses HOST:PORT of the parameter servers, separated by commas.
      workers: likewise; the first is the chief.
      task: "ps:N" or "worker:N", which of them this process is.

    Returns:
      A `Cluster`, or None if there is none.

    Raises:
      ValueError: they do not make a cluster with this process in it.
    """
    if (ps, workers, task) != (None, None, None):
        source = "--ps, --workers and --task"
        if None in (ps, workers, task):
            raise ValueError(f"expected all of {source} or none")
        jobs = {"ps": ps.split(","), "worker": workers.split(",")}
        job, _, index = task.partition(":")
    else:
        source = "TF_CONFIG"
        try:
            config = json.loads(os.environ.get(source) or "{}")
            jobs = dict(config.get("cluster", {}))
            task = config.get("task", {})
            job, index = task.get("type"), str(task.get("index", ""))
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{source}: expected JSON with cluster and task, got {os.environ[source]}") from error
        if not jobs:
            return None
    jobs.pop("evaluator", None)
    tasks = [
        (name, number, address)
        for name in ("chief", "master", "worker")
        for number, address in enumerate(jobs.get(name, ()))
    ]
    unknown = set(jobs) - {"ps", "chief", "master", "worker"}
    if unknown or not tasks or not jobs.get("ps"):
        raise ValueError(f"{source}: expected addresses of the jobs ps and worker, got {', '.join(jobs) or 'none'}")
    for address in [*jobs["ps"], *(address for _, _, address in tasks)]:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"{source}: expected addresses HOST:PORT, got {address}")
    if not index.isdigit() or int(index) >= len(jobs.get(job, ())):
        raise ValueError(f"{source}: expected a task of the cluster such as worker:0, got {job}:{index}")
    return Cluster(list(jobs["ps"]), tasks, job, int(index))


def serve_parameters(cluster):
    """Holds parameters for the workers until the process is stopped."""
    server = cluster.server()
    threading.Event().wait()  # server.join() could not be interrupted
    return server


def reach(address, report):
    """Waits until there is a server; TensorFlow's own waiting could neither be seen nor interrupted."""
    host, _, port = address.rpartition(":")
    told = False
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            if not told:
                report.line(f"waiting for the parameter server {address}")
            told = True
            time.sleep(1)
