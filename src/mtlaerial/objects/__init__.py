"""Objects of maps: buildings and other classes as polygons with heights, and a city model."""
