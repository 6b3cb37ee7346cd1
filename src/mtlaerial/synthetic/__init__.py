"""Generated data sets: a procedural city in the layout of any data set."""
