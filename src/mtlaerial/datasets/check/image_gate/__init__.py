"""Rules that an image must pass to be trained on or predicted from: one gate for ``check`` and ``predict``.

``check`` collects the findings; ``predict`` raises the first error and logs the warnings.
"""
