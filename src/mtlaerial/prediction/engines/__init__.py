"""Engines that run a trained network: torch, and compilers of its ONNX graph for the CPU."""
