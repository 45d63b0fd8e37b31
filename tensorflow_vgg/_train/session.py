"""The session in which a run's steps are made, alone or with others."""

import os

import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config
from tensorflow_vgg._train import hooks, network

__all__ = ["train"]

_CHECK_SECONDS = 1  # between a worker's looks whether the chief has made the variables ready
_WAIT_SECONDS = 7 * 24 * 3600


class _Sessions(tf.train.SessionCreator):
    """Makes a session, and again when a parameter server was lost: the chief's with what the last checkpoint holds.

    `begin` is called with each.
    """

    def __init__(self, run, target, scaffold, config, begin):
        self._run = run
        self._target = target
        self._scaffold = scaffold
        self._config = config
        self._begin = begin
        self._made = False

    def create_session(self):
        run, scaffold = self._run, self._scaffold
        run.stop.running = False
        if run.stop.asked:
            raise KeyboardInterrupt
        if self._made:
            run.report.problem(f"{run.path}: a parameter server was lost; going on from the last checkpoint")
        self._made = True
        if run.cluster:
            run.cluster.wait_for_parameters(run.report)
        if run.chief:
            run.report.show("initialising the network")
            folder = os.path.abspath(run.path)
            session = tf.train.ChiefSessionCreator(scaffold, self._target, self._config, folder).create_session()
        else:
            run.report.show("waiting until the chief has the parameters ready")
            scaffold.finalize()
            manager = tf.train.SessionManager(
                local_init_op=scaffold.local_init_op,
                ready_op=scaffold.ready_op,
                ready_for_local_init_op=scaffold.ready_for_local_init_op,
                recovery_wait_secs=_CHECK_SECONDS,
            )
            session = manager.wait_for_session(self._target, self._config, _WAIT_SECONDS)
        self._begin(session)
        return session


def train(run, batches, weight_dict):
    """Trains from the last checkpoint, or from `weight_dict`, to the end, or until the process is asked to stop."""
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
        global_step = tf.train.get_or_create_global_step()
        first = tf.placeholder(tf.int64, [], name="first_step")
        iterator = tf.data.make_initializable_iterator(batches.dataset(first, workers))

        def begin(session):
            """Has the session begin with the batch that comes after the step it begins at."""
            step = session.run(global_step)
            session.run(iterator.initializer, {first: step + (number - step) % workers})

        graph = network.build(run, weight_dict, *iterator.get_next(), batches.pool5 is not None, own)
        around = [hooks.Finite(graph.target)]
        scaffold = tf.train.Scaffold()
        if run.chief:
            saver = hooks.Saver(run, graph.trained)
            scaffold = tf.train.Scaffold(saver=saver)
            folder = os.path.abspath(run.path)
            # Checkpoints come last: what one holds has been found finite and recorded.
            around += [
                hooks.Record(run, batches, graph, saver),
                tf.train.CheckpointSaverHook(folder, save_secs=run.save_every, scaffold=scaffold),
            ]
        around += [tf.train.StopAtStepHook(last_step=run.last), run.stop]
        sessions = _Sessions(run, server.target if server else "", scaffold, config, begin)
        with tf.train.MonitoredSession(sessions, around) as session:
            while not session.should_stop():
                session.run(graph.train_step)
    run.stop.running = False
