"""Maps in a browser: a server of this machine that draws tiles of the rasters in a folder, and its page.

:mod:`mtlaerial.viewer.catalog` finds what a folder holds, :mod:`mtlaerial.viewer.tiles` and
:mod:`mtlaerial.viewer.values` read the rasters where the page looks at them, :mod:`mtlaerial.viewer.server` serves both
and the files in ``page``.
"""
