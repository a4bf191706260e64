"""What a chart of a sweep is, and how all of them are found."""

from collections.abc import Callable

from reports.capacity.sweep import Findings
from reports.catalogue import Catalogue, Listed
from reports.chart import Chart

Make = Callable[[Findings], Chart]
Registered = Listed[Make]

_charts: Catalogue[Make] = Catalogue("reports.capacity.charts")
chart, all_charts = _charts.chart, _charts.all_charts
