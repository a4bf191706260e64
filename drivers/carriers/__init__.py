"""One module a carrier, each with a `CARRIER`; found by `drivers.endpoints`."""
