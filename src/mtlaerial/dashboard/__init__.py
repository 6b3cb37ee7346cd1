"""Live dashboard of trainings in a browser, by a Visdom server that may be absent, slow, or die.

:mod:`mtlaerial.dashboard.viewer` is the training's side. :mod:`mtlaerial.dashboard.server` starts a server behind a
:mod:`mtlaerial.dashboard.gate`, and :mod:`mtlaerial.dashboard.assets` installs the scripts of its page where there
is no internet.
"""
