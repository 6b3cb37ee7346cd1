"""Raw data sets: locating, unpacking, decoding and checking their files."""
