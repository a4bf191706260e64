"""What can be measured of a server and a swarm while they run, for those who keep watch with their own tools.

`metric` (what a metric is: name, kind, unit, labels; and what it measured), `exposition` (Prometheus' text
format), `serving` (the same over HTTP), `otlp` (OpenTelemetry, if it is installed). Knows neither servers nor
swarms: `refserver.metrics` and `scenarios.measured` say what there is.
"""
