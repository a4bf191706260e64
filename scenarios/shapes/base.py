"""What all load shapes share: where their numbers come from."""

from abc import abstractmethod

from locust import LoadTestShape

Tick = tuple[int, float] | None


class PlannedShape(LoadTestShape):
    """`planned`: cohorts at the peak, seconds of the ramp, seconds in all, for a run whose owner ends it.

    Unset, Locust's options say the same, and the shape ends the run.
    """

    abstract = True
    use_common_options = True
    planned: tuple[int, float, float] | None = None

    def numbers(self) -> tuple[int, float, float]:
        """Peak, ramp and duration, whoever gave them."""
        if self.planned is not None:
            return self.planned
        options = self.runner.environment.parsed_options if self.runner is not None else None
        peak = (options and options.num_users) or 20
        rate = (options and options.spawn_rate) or 5.0
        return peak, peak / rate, float((options and options.run_time) or 300)

    def tick(self) -> Tick:
        """Users and spawn rate now; None when the time is over."""
        peak, ramp_s, duration_s = self.numbers()
        at: float = self.get_run_time()  # type: ignore[no-untyped-call]
        if at >= duration_s:
            if self.planned is None:
                return None
            at = duration_s - 0.001
        users = max(1, min(peak, round(self.level(at, ramp_s, duration_s) * peak)))
        return users, max(peak / max(ramp_s, 1.0), 0.01)

    @abstractmethod
    def level(self, at: float, ramp_s: float, duration_s: float) -> float:
        """Share of the peak wanted at second `at`."""
