"""Zonal statistics: classes, heights and objects of maps in each polygon of a layer."""
