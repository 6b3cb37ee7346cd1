"""Files, network, signals, processes and GPUs of the machine; imports neither torch nor a raster library."""
