"""Files, network, signals, processes and GPUs of the machine: no torch at import, no raster, no domain."""
