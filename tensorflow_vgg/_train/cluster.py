"""The machines of a distributed run: which there are, and waiting for them."""

import itertools
import json
import os
import socket
import threading
import time

import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config

__all__ = ["Cluster", "read_cluster", "serve_parameters", "wait"]

_WORKERS = ("chief", "master", "worker")  # the jobs whose processes train; the first of them all is the chief


class Cluster:
    """The machines of a run: the addresses of each of its `jobs`, by name, and which of them this process is."""

    def __init__(self, jobs, job, index):
        self.jobs, self.job, self.index = jobs, job, index
        self.ps = jobs["ps"]  # the addresses of the parameter servers
        self.workers = [(name, number) for name in _WORKERS for number in range(len(jobs.get(name, ())))]
        self.number = None if job == "ps" else self.workers.index((job, index))  # the chief's is 0

    def server(self):
        """TensorFlow's server for this process."""
        jobs = tf.train.ClusterSpec(self.jobs)
        return tf.train.Server(jobs, job_name=self.job, task_index=self.index, config=session_config())

    def wait_for_parameters(self, report):
        """Waits until all parameter servers are there."""
        for address in self.ps:
            wait(lambda address=address: _serves(address), f"waiting for the parameter server {address}", report)


def read_cluster(ps=None, workers=None, task=None):
    """The `Cluster` that --ps, --workers and --task or else the variable TF_CONFIG name, or None if there is none.

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
    jobs = {name: list(addresses) for name, addresses in jobs.items() if addresses and name != "evaluator"}
    if set(jobs) - {"ps", *_WORKERS} or "ps" not in jobs or len(jobs) < 2:
        raise ValueError(f"{source}: expected addresses of the jobs ps and worker, got {', '.join(jobs) or 'none'}")
    for address in itertools.chain(*jobs.values()):
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"{source}: expected addresses HOST:PORT, got {address}")
    if not index.isdigit() or int(index) >= len(jobs.get(job, ())):
        raise ValueError(f"{source}: expected a task of the cluster such as worker:0, got {job}:{index}")
    return Cluster(jobs, job, int(index))


def serve_parameters(cluster):
    """Holds parameters for the workers until the process is stopped."""
    server = cluster.server()
    threading.Event().wait()  # server.join() could not be interrupted
    return server


def _serves(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def wait(holds, told, report):
    """Waits until holds(), and tells so once; TensorFlow's own waiting could neither be seen nor interrupted."""
    if not holds():
        report.line(told)
        while not holds():
            time.sleep(1)
