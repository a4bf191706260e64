"""One chart of a sweep, one file; each registers itself with `reports.capacity.chart.chart`."""
