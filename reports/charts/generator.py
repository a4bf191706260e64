"""Was the tester the bottleneck? If its loop stalled or its processor was busy, the tester was measured."""

import polars as pl

from ledger.clocks import machines_of
from reports.bands import shade, time_axis
from reports.canvas import Sheet, duration_axis, heading
from reports.chart import Chart, Key, Summary, chart
from reports.evidence import Evidence
from reports.figures import cores, duration, exact, second
from reports.palette import BLUE, GREY, ORANGE
from reports.telling import Telling

_ALARM_MS = 200.0


@chart(order=130, title="Generator health", audience="both")
def generator(evidence: Evidence, summary: Summary) -> Chart:
    """The longest stall of any generator's loop in each second, the busiest of their processes, and by how
    much the clocks of their machines are apart."""
    told = evidence.samples("generator").filter(pl.col("loop_lag_ms").is_not_null())
    if told.height == 0:
        return Chart("No generator reported its loop lag, so its health is not known.")
    health = _by_second(told)
    worst = told.row(int(told["loop_lag_ms"].arg_max() or 0), named=True)
    usual = float(health.select(pl.col("loop_lag_ms").median()).item())
    stalls = health.filter(pl.col("loop_lag_ms") > _ALARM_MS).height
    tell = Telling()
    alarm = tell("alarm_ms", duration, _ALARM_MS)
    sentence = (
        f"{tell.plural('generators', told['process'].n_unique(), 'generator')}: the loop was at most "
        f"{tell('usual_lag_ms', duration, usual)} late in the median second and "
        f"{tell('worst_lag_ms', duration, worst['loop_lag_ms'])} in the worst ({worst['process']}, "
        f"{tell('worst_s', second, worst['t'])}); {tell.plural('stalls', stalls, 'second')} above {alarm}. "
        f"{_processors(tell, health)}{_clocks(evidence, tell)}"
    )
    tell.note("process", worst["process"])
    keys = (
        Key("longest stall of the loop", BLUE),
        Key("alarm", GREY, "dash"),
        Key("busiest process, of one core", ORANGE),
    )
    return Chart(
        sentence,
        lambda sheet: _draw(sheet, evidence, health),
        keys,
        height=340,
        narrow_height=340,
        figures=tell.figures,
    )


def _by_second(told: pl.DataFrame) -> pl.DataFrame:
    """t, loop_lag_ms of the worst process, share of a core of the busiest one."""
    passed = pl.col("t").diff().over("process")
    share = (pl.col("cpu_s").diff().over("process") / passed).clip(0, 1)
    return (
        told.with_columns(share=share)
        .group_by("t")
        .agg(pl.col("loop_lag_ms", "share").max())
        .sort("t")
        .with_columns(pl.col("share").fill_null(0))
    )


def _processors(tell: Telling, health: pl.DataFrame) -> str:
    busiest = health.row(int(health["share"].arg_max() or 0), named=True)
    return (
        f"Its busiest process kept {tell('busiest_share', cores, busiest['share'])} of one core busy in the "
        f"busiest second ({tell('busiest_s', second, busiest['t'])})."
    )


def _clocks(evidence: Evidence, tell: Telling) -> str:
    machines = machines_of(evidence.ledger.environment)
    if not machines:
        return " All of it was on one machine, with one clock."
    offsets = {name: abs(machine.clock.offset_ns) / 1e6 for name, machine in machines.items()}
    errors = {name: machine.clock.uncertainty_ns / 1e6 for name, machine in machines.items()}
    furthest = max(offsets, key=offsets.__getitem__)
    tell.note("machine", furthest)
    return (
        f" {tell('machines', exact, len(machines))} machines: the clock of {furthest} is furthest from the "
        f"master's, by {tell('clock_offset_ms', duration, offsets[furthest])}; offsets are known to "
        f"{tell('clock_uncertainty_ms', duration, max(errors.values()))} and taken out of all times."
    )


def _draw(sheet: Sheet, evidence: Evidence, health: pl.DataFrame) -> None:
    lag, busy = sheet.panels(2, 1, sharex=True, height_ratios=[1.3, 1])
    heading(busy, "share of one core")
    times = health["t"].to_numpy()
    lag.axhline(_ALARM_MS, color=GREY, linewidth=1.5, linestyle=(0, (2, 2)))
    lag.plot(times, health["loop_lag_ms"].clip(lower_bound=0.1).to_numpy(), color=BLUE, linewidth=1.7)
    busy.plot(times, health["share"].to_numpy(), color=ORANGE, linewidth=1.7)
    duration_axis(lag)
    lag.set_ylabel("loop lag")
    busy.set_ylim(0, 1.02)
    time_axis(sheet, lag, evidence, label="")
    shade(busy, evidence.bands)
    busy.set_xlabel("seconds since the load began")
