"""Charts of comparisons, one file each; registered when read."""
