"""The session in which a run's steps are made, alone or with others."""

import functools
import os

import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config
from tensorflow_vgg._train import cluster as machines
from tensorflow_vgg._train import hooks, network

__all__ = ["train"]

_CHECK_SECONDS = 1  # between a worker's looks whether the chief has made the variables ready
_WAIT_SECONDS = 7 * 24 * 3600


class _Sessions(tf.train.SessionCreator):
    """Makes a session, and again when a parameter server was lost: the chief's with what the last checkpoint holds."""

    def __init__(self, run, target, scaffold, config):
        self._run = run
        self._target = target
        self._scaffold = scaffold
        self._config = config
        self._made = False

    def create_session(self):
        run, scaffold = self._run, self._scaffold
        run.stop.running = False
        if run.stop.asked:
            raise KeyboardInterrupt
        if self._made:
            run.report.problem(f"{run.path}: a parameter server was lost; going on from the last checkpoint")
        self._made = True
        for address in run.cluster.ps if run.cluster else ():
            told = f"waiting for the parameter server {address}"
            machines.wait(functools.partial(machines.serves, address), told, run.report)
        scaffold.finalize()
        manager = tf.train.SessionManager(
            local_init_op=scaffold.local_init_op,
            ready_op=scaffold.ready_op,
            ready_for_local_init_op=scaffold.ready_for_local_init_op,
            recovery_wait_secs=_CHECK_SECONDS,
        )
        if run.chief:
            run.report.show("initialising the network")
            return manager.prepare_session(
                self._target,
                saver=scaffold.saver,
                checkpoint_dir=os.path.abspath(run.path),
                config=self._config,
                init_op=scaffold.init_op,
            )
        run.report.show("waiting until the chief has the parameters ready")
        return manager.wait_for_session(self._target, self._config, _WAIT_SECONDS)


def train(run, batches, weight_dict):
    """Trains from the last checkpoint, or from the start, to the end, or until the process is asked to stop.

    Args:
      run: the `Run`.
      batches: its `Batches`.
      weight_dict: what the run starts from.
    """
    cluster, settings = run.cluster, run.settings
    number, workers, server = 0, 1, None
    config = session_config()
    setter, own = None, None
    if cluster:
        number, workers, server = cluster.number, len(cluster.workers), cluster.server()
        own = f"/job:{cluster.job}/task:{cluster.index}"
        setter = tf.train.replica_device_setter(worker_device=own, ps_tasks=len(cluster.ps))
        # A session that waited for all workers would end with any of them.
        config.device_filters.extend(["/job:ps", own])
    with tf.Graph().as_default(), tf.device(setter):
        tf.set_random_seed(settings["seed"])
        tf.train.get_or_create_global_step()
        first = tf.placeholder(tf.int64, [], name="first_step")
        iterator = tf.data.make_initializable_iterator(batches.dataset(first, workers))
        values, labels = iterator.get_next()
        graph = network.build(run, weight_dict, values, labels, batches.pool5 is not None, own)
        around = [hooks.Finite(graph.target)]
        scaffold = tf.train.Scaffold()
        if run.chief:
            best = hooks.Best(run.path, graph.trained if settings["keep"] != "last" else {})
            scaffold = tf.train.Scaffold(saver=hooks.Saver(best, run.report))
            folder = os.path.abspath(run.path)
            # Checkpoints come last: what one holds has been found finite and recorded.
            around += [
                hooks.Record(run, batches, graph, best),
                tf.train.CheckpointSaverHook(folder, save_secs=run.save_every, scaffold=scaffold),
            ]
        begin = hooks.Begin(iterator.initializer, first, number, workers)
        around += [begin, tf.train.StopAtStepHook(last_step=run.last), run.stop]
        sessions = _Sessions(run, server.target if server else "", scaffold, config)
        with tf.train.MonitoredSession(sessions, around) as session:
            while not session.should_stop():
                session.run(graph.train_step)
    run.stop.running = False
