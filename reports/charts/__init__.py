"""One chart, one file; each registers itself with `reports.chart.chart`."""
