"""Facts of the report on what was run: methods, networks, settings and their differences, machines, versions."""
