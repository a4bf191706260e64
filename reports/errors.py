"""What `reports` raises on purpose."""


class ReportError(Exception):
    """No report can be made of this path. One line: what was wrong, where, what to do."""
