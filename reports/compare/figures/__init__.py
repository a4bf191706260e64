"""Families of figures that are compared, one file each; registered when read."""
