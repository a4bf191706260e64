"""Ways to listen besides plain TCP: one module a scheme, each with a `KIND`."""
