"""Live view of trainings: in a browser, by a Visdom server that may be absent, slow, or die; and by loggers.

:mod:`mtlaerial.dashboard.watchers` joins all that watches a training: :mod:`mtlaerial.dashboard.tensorboard` writes
event files, :mod:`mtlaerial.dashboard.viewer` is the training's side of Visdom. :mod:`mtlaerial.dashboard.server`
starts a server behind a :mod:`mtlaerial.system.gate`, and :mod:`mtlaerial.dashboard.assets` installs the scripts of
its page where there is no internet.
"""
