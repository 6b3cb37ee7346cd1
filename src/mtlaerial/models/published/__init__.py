"""Published weights of encoders: read, converted to our tensors' names, and loaded into networks."""
