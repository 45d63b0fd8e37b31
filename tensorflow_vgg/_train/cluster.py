"""The machines of a distributed run: which there are, and waiting for them."""

import collections
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


class Cluster(collections.namedtuple("Cluster", "jobs job index")):
    """The machines of a run: the addresses of each job, by its name, and which of them this process is."""

    @property
    def ps(self):
        """The addresses of the parameter servers."""
        return self.jobs["ps"]

    @property
    def workers(self):
        """(job, index) of each worker, the chief first."""
        return [(job, index) for job in _WORKERS for index in range(len(self.jobs.get(job, ())))]

    @property
    def number(self):
        """This worker's place among the workers."""
        return self.workers.index((self.job, self.index))

    def server(self):
        """TensorFlow's server for this process."""
        jobs = tf.train.ClusterSpec(self.jobs)
        return tf.train.Server(jobs, job_name=self.job, task_index=self.index, config=session_config())

    def wait_for_parameters(self, report):
        """Waits until all parameter servers are there."""
        for address in self.ps:
            wait(lambda address=address: _serves(address), f"waiting for the parameter server {address}", report)


def read_cluster(ps=None, workers=None, task=None):
    """The `Cluster` that the options or else the variable TF_CONFIG name, or None if there is none.

    Args:
      ps: addresses HOST:PORT of the parameter servers, separated by commas.
      workers: likewise; the first is the chief.
      task: "ps:N" or "worker:N", which of them this process is.

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
