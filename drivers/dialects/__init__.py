"""One module a dialect, each with a `DIALECT`; found by `drivers.endpoints`."""
