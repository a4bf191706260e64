"""A run folder that nobody ran: 2,000 devices chat for a minute through four faults, seeded, told row by row.

    python tests/reports/synthetic_run.py FOLDER [--devices N] [--rate MESSAGES_PER_S] [--healthy]

The effects are those of a real client: a lost push comes again after 2 s or by the pull that the next push
causes, later messages wait behind the hole, a device that was away pulls at its next login, a blocked port
is left for the next one on the ladder. Everything is computed in columns, so ten million rows take seconds.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from synthetic_processes import LOAD_START, SECOND, START, at, processes

from ledger.checks import Options, run_checks
from ledger.reader import Ledger
from ledger.run_folder import RunFolder
from ledger.summary import summarise
from ledger.thresholds import parse

FAULTS = (
    ("frame_loss", 10.0, 25.0, "tcp:14000", {"probability": 0.1}),
    ("latency", 25.0, 40.0, "tcp:14000", {"latency_ms": 150, "jitter_ms": 40}),
    ("reset", 42.0, 42.0, "tcp:14000", {"share": 0.45}),
    ("block_port", 45.0, 55.0, "tcp:14000", {"port": 14000, "how": "drop"}),
)
THRESHOLDS = (
    "latency_ms.deliver.p50 < 200",
    "latency_ms.deliver.p99 < 5000",
    "connections.failed < 5000",
)
COLUMNS = {
    "at_ns": pl.Int64,
    "planned_ns": pl.Int64,
    "event": pl.Categorical,
    "device": pl.Int32,
    "message": pl.Int64,
    "conversation": pl.Int32,
    "sequence": pl.Int64,
    "version": pl.Int64,
    "via": pl.Categorical,
    "code": pl.Int16,
}
SILENCE, RESET = 3, 2


@dataclass(frozen=True, slots=True)
class Size:
    """How much to tell. `broken` adds one or more of every outcome that a healthy server never shows."""

    devices: int = 2_000
    rate: int = 300
    seconds: int = 60
    seed: int = 7
    generators: int = 2
    broken: bool = True

    @property
    def users(self) -> int:
        return self.devices * 3 // 4


def tables(size: Size, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Devices (a quarter of the users have two), pairs and groups."""
    users = size.users
    of_device = np.concatenate([np.arange(users), np.arange(size.devices - users)]).astype(np.int32)
    pairs, groups, members_of_group = size.devices // 5, max(size.devices // 50, 1), min(8, users)
    left = random.integers(0, users, pairs)
    right = (left + random.integers(1, users, pairs)) % users
    grouped = [random.choice(users, members_of_group, replace=False) for _ in range(groups)]
    names = [f"u{min(a, b)}:u{max(a, b)}" for a, b in zip(left, right, strict=True)]
    conversation = np.concatenate(
        [np.repeat(np.arange(pairs), 2), pairs + np.repeat(np.arange(groups), members_of_group)]
    )
    user = np.concatenate([np.stack([left, right], 1).ravel(), np.concatenate(grouped)])
    return {
        "devices": pl.DataFrame(
            {"device": np.arange(size.devices, dtype=np.int32), "user": of_device}
        ).with_columns(user_id=pl.format("u{}", "user"), device_id=pl.format("d{}", "device")),
        "conversations": pl.DataFrame(
            {
                "conversation": np.arange(pairs + groups, dtype=np.int32),
                "name": names + [f"g:team{n}" for n in range(groups)],
            }
        ),
        "members": pl.DataFrame(
            {"conversation": conversation.astype(np.int32), "user": user.astype(np.int32)}
        ),
    }


def connections(size: Size, random: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of logging in, losing the connection and coming back; and one row a device: when it was away."""
    n = size.devices
    ladder = np.array(["tcp:14000", "tcp:8080", "tcp:443"])
    first = ladder[random.choice(3, n, p=[0.6, 0.2, 0.2])]
    resets = random.random(n) < 0.45
    reset_at = 42.0 + random.random(n) * 0.02
    reset_back = reset_at + np.minimum(0.12 + random.exponential(0.5, n), 2.4)
    reset_attempts = np.where(reset_back - reset_at > 1.2, 2, 1)
    blocked = first == "tcp:14000"
    block_at = 45.0 + random.uniform(3.0, 7.4, n)
    block_attempts = random.choice([2, 3, 4], n, p=[0.72, 0.22, 0.06])
    block_back = block_at + (block_attempts - 1) * 1.05 + random.exponential(0.12, n)
    fallback = np.where(
        block_attempts == 2, "tcp:8080", np.where(block_attempts == 3, "tcp:443", "websocket:443")
    )
    rows = [
        pl.DataFrame(
            {
                "at_ns": at(random.uniform(-9.8, -1.5, n)),
                "event": "login",
                "via": first,
                "code": np.ones(n, int),
            }
        ).with_columns(device=pl.int_range(n, dtype=pl.Int32)),
        _away(resets, reset_at, reset_back, reset_attempts, RESET, first, first),
        _away(blocked, block_at, block_back, block_attempts, SILENCE, first, fallback),
    ]
    # One login wave cannot land inside the other: the reset is over before the block bites.
    away = pl.DataFrame(
        {
            "device": np.arange(n, dtype=np.int32),
            "a_from": at(np.where(resets, reset_at, -100.0)),
            "a_to": at(np.where(resets, reset_back, -100.0)),
            "b_from": at(np.where(blocked, 45.0, -100.0)),
            "b_to": at(np.where(blocked, block_back, -100.0)),
        }
    )
    return pl.concat(rows, how="diagonal_relaxed"), away


def _away(
    who: Any, lost_s: Any, back_s: Any, attempts: Any, reason: int, before: Any, after: Any
) -> pl.DataFrame:
    devices = np.flatnonzero(who).astype(np.int32)
    lost_s, back_s, attempts = lost_s[who], back_s[who], attempts[who]
    closed = pl.DataFrame(
        {"at_ns": at(lost_s), "event": "closed", "device": devices, "via": before[who], "code": reason}
    )
    again = pl.DataFrame(
        {"at_ns": at(back_s), "event": "login", "device": devices, "via": after[who], "code": attempts}
    )
    failed = [
        pl.DataFrame(
            {
                "at_ns": at((lost_s + (back_s - lost_s) * k / attempts)[attempts > k]),
                "event": "connect_failed",
                "device": devices[attempts > k],
                "via": before[who][attempts > k],
            }
        )
        for k in range(1, 4)
    ]
    return pl.concat([closed, again, *failed], how="diagonal_relaxed")


def sends(size: Size, world: dict[str, pl.DataFrame], random: np.random.Generator) -> pl.DataFrame:
    """One row a message: who, when, how often tried, when committed and acknowledged, its place."""
    n = size.rate * size.seconds
    planned = np.sort(random.uniform(0, size.seconds, n))
    conversation = (random.beta(0.7, 2.0, n) * world["conversations"].height).astype(np.int32)
    parties = (
        world["members"]
        .join(world["devices"].select("device", "user"), on="user")
        .sort("conversation", "device")
    )
    spans = parties.group_by("conversation", maintain_order=True).len()
    ends = spans["len"].cum_sum().to_numpy()
    counts = spans["len"].to_numpy()
    pick = (ends - counts)[conversation] + (random.random(n) * counts[conversation]).astype(int)
    device = parties["device"].to_numpy()[pick]
    started = planned + random.exponential(0.0003, n) + np.where(random.random(n) < 0.002, 0.09, 0.0)
    attempts = 1 + _losses(started, random, n)
    one_way = _one_way(started, random, n)
    committed = started + (2.0 ** (attempts - 1) - 1) * 2 + one_way
    frame = pl.DataFrame(
        {
            "planned_ns": at(planned),
            "started_ns": at(started),
            "committed_ns": at(committed),
            "acked_ns": at(committed + one_way),
            "attempts": attempts,
            "conversation": conversation,
            "device": device,
            "user": parties["user"].to_numpy()[pick],
        }
    )
    # A client repeats in order: what it sends later is never stored earlier.
    frame = frame.with_columns(pl.col("committed_ns", "acked_ns").cum_max().over("device"))
    nth = pl.int_range(pl.len()).over("device") + 1
    place = pl.int_range(pl.len()).over("conversation") + 1
    return (
        frame.with_columns(message=pl.col("device").cast(pl.Int64) * 2**32 + nth)
        .sort("committed_ns", "planned_ns")
        .with_columns(sequence=place.cast(pl.Int64))
    )


def _losses(when_s: Any, random: np.random.Generator, n: int) -> Any:
    lost = np.minimum(random.geometric(0.9, n) - 1, 3)
    return np.where((when_s >= 10) & (when_s < 25), lost, 0)


def _one_way(when_s: Any, random: np.random.Generator, n: int) -> Any:
    slow = np.where((when_s >= 25) & (when_s < 40), np.abs(random.normal(0.150, 0.04, n)), 0.0)
    return random.lognormal(np.log(0.0018), 0.55, n) + slow


def inboxes(sent: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """message, user, version: the place of each message in the inbox of each member."""
    return (
        sent.select("message", "conversation", "committed_ns", "planned_ns")
        .join(members, on="conversation")
        .sort("committed_ns", "planned_ns")
        .with_columns(version=(pl.int_range(pl.len()).over("user") + 1).cast(pl.Int64))
        .select("message", "user", "version")
    )


def deliveries(
    sent: pl.DataFrame,
    versions: pl.DataFrame,
    world: dict[str, pl.DataFrame],
    away: pl.DataFrame,
    random: np.random.Generator,
) -> pl.DataFrame:
    """One row for each message and device that should have it: when, how, after how many attempts."""
    parties = world["members"].join(world["devices"].select("device", "user"), on="user")
    frame = (
        sent.select("message", "conversation", "sequence", "committed_ns", sender="device")
        .join(parties, on="conversation")
        .filter(pl.col("device") != pl.col("sender"))
        .join(versions, on=["message", "user"])
        .join(away, on="device")
    )
    n = frame.height
    when_s = (frame["committed_ns"].to_numpy() - LOAD_START) / SECOND
    attempts = 1 + _losses(when_s, random, n)
    gap_pull = (attempts > 1) & (random.random(n) < 0.45)
    wait = np.where(gap_pull, np.minimum(random.exponential(0.9, n), 2.0), (2.0 ** (attempts - 1) - 1) * 2)
    arrival = at(when_s + wait + _one_way(when_s, random, n))
    frame = frame.with_columns(
        arrival=arrival, attempts=np.where(gap_pull, 1, attempts), gap_pull=gap_pull, jitter=random.random(n)
    )
    in_a = pl.col("arrival").is_between("a_from", "a_to")
    in_b = pl.col("arrival").is_between("b_from", "b_to")
    landed = pl.when(in_a).then("a_to").when(in_b).then("b_to").otherwise(None)
    pulled = landed.is_not_null() | pl.col("gap_pull")
    return (
        frame.with_columns(
            at_ns=pl.coalesce(landed + (pl.col("jitter") * 8e6 + 2e6).cast(pl.Int64), "arrival"),
            via=pl.when(pulled).then(pl.lit("pull")).otherwise(pl.lit("push")),
            code=pl.when(pulled | (pl.col("attempts") == 1)).then(0).otherwise("attempts").cast(pl.Int16),
        )
        .sort("device", "version")
        .with_columns(at_ns=pl.col("at_ns").cum_max().over("device"))
        .select("at_ns", "device", "message", "conversation", "sequence", "version", "via", "code")
    )


def broken(
    sent: pl.DataFrame, shown: pl.DataFrame, random: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same with 3 lost, 2 duplicated, 1 altered, 1 unexpected delivery; 4 recovered, 6 open sends."""
    window = pl.col("planned_ns").is_between(int(at(45.5)), int(at(52.0)))
    few = sent.filter(window).head(10)["message"]
    recovered, undetermined = few[:4], few[4:]
    sent = sent.with_columns(
        acked_ns=pl.when(pl.col("message").is_in(few.implode())).then(None).otherwise("acked_ns")
    )
    shown = shown.filter(~pl.col("message").is_in(undetermined.implode()))
    victims = shown.with_row_index().filter(
        pl.col("at_ns").is_between(int(at(16.0)), int(at(24.0)))
        & ~pl.col("message").is_in(recovered.implode())
    )
    chosen = victims["index"].gather(np.sort(random.choice(victims.height, 7, replace=False)))
    lost, twice, altered, stray = chosen[:3], chosen[3:5], chosen[5:6], chosen[6:7]
    again = shown[twice].with_columns(pl.col("at_ns") + 700_000_000)
    alien = shown[stray].with_columns(
        message=pl.col("message") + 900_000, sequence=pl.col("sequence") + 7_000
    )
    shown = (
        shown.with_row_index()
        .filter(~pl.col("index").is_in(lost.implode()))
        .with_columns(
            code=pl.when(pl.col("index").is_in(altered.implode()))
            .then(pl.lit(-1, pl.Int16))
            .otherwise("code")
        )
        .drop("index")
    )
    return sent, pl.concat([shown, again, alien])


def rows(sent: pl.DataFrame, shown: pl.DataFrame, links: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """The ledger in the order of time."""
    own = ["device", "message", "conversation"]
    retries = [
        sent.filter(pl.col("attempts") >= k).select(
            *own,
            at_ns=pl.col("started_ns") + 2 * SECOND * (2 ** (k - 1) - 1),
            event=pl.lit("retransmit"),
            code=pl.lit(k),
        )
        for k in (2, 3, 4)
    ]
    repeats = shown.filter((pl.col("code") >= 2) & (pl.col("message") % 5 == 0))
    parts = [
        sent.select("planned_ns", *own, at_ns="started_ns", event=pl.lit("send")),
        sent.filter(pl.col("acked_ns").is_not_null()).select(
            *own, "sequence", "version", at_ns="acked_ns", event=pl.lit("acked")
        ),
        *retries,
        shown.with_columns(event=pl.lit("delivered")),
        repeats.with_columns(pl.col("at_ns") + 20_000_000, event=pl.lit("repeated")),
        links,
        settled,
    ]
    everything = pl.concat(parts, how="diagonal_relaxed")
    missing = [pl.lit(None).alias(name) for name in COLUMNS if name not in everything.columns]
    return (
        everything.with_columns(missing).select(pl.col(c).cast(t) for c, t in COLUMNS.items()).sort("at_ns")
    )


def write(folder: Path, size: Size = Size()) -> Path:
    """The whole run folder. The same size gives the same bytes of meaning."""
    random = np.random.default_rng(size.seed)
    world = tables(size, random)
    links, away = connections(size, random)
    sent = sends(size, world, random)
    versions = inboxes(sent, world["members"])
    sent = sent.join(versions, on=["message", "user"])
    shown = deliveries(sent, versions, world, away, random)
    if size.broken:
        sent, shown = broken(sent, shown, random)
    newest = shown.group_by("device").agg(pl.col("version").max()).sort("device")
    settled = newest.with_columns(
        at_ns=pl.Series(at(size.seconds + 8 + random.random(newest.height) * 2)), event=pl.lit("settled")
    )
    ledger = rows(sent, shown, links, settled)
    for name in ("tables", "ledger", "processes"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, frame in world.items():
        frame.write_parquet(folder / "tables" / f"{name}.parquet")
    for n in range(size.generators):
        mine = ledger.filter(pl.col("device") % size.generators == n)
        mine.write_parquet(folder / "ledger" / f"generator-{n}.parquet")
    for name, lines in processes(size.devices, size.generators, size.seconds, sent, links, random).items():
        (folder / "processes" / f"{name}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    _write_facts(folder, size)
    judged = Ledger.open(folder)
    limits = [parse(text) for text in THRESHOLDS]
    RunFolder(folder).save_summary(summarise(judged, run_checks(judged, Options(heartbeat_s=4.0)), limits))
    return folder


def _write_facts(folder: Path, size: Size) -> None:
    phases = {
        "start_ns": START,
        "load_start_ns": LOAD_START,
        "load_end_ns": int(at(size.seconds)),
        "settle_end_ns": int(at(size.seconds + 12)),
        "interrupted": False,
    }
    environment = {
        "machine": {"cores": 2, "memory_bytes": 25_000_000_000, "kernel": "6.8.0", "python": "3.11.9"},
        "versions": {"chatproof": "0.1.0", "locust": "2.47.0", "gevent": "26.9.0"},
        "target": "embedded",
        "scenario": "commute",
        "seed": size.seed,
        "command": f"chatproof run commute.toml --seed {size.seed}",
    }
    faults = [
        {"name": n, "target": t, "start_ns": int(at(a)), "end_ns": int(at(b)), "detail": d}
        for n, a, b, t, d in FAULTS
    ]
    plan = f'scenario = "commute"\nseed = {size.seed}\n\n[load]\ndevices = {size.devices}\n'
    plan += f"messages_per_s = {size.rate}\n"
    plan += "".join(f'\n[[faults]]\nname = "{n}"\nstart_s = {a}\nend_s = {b}\n' for n, a, b, _, _ in FAULTS)
    (folder / "plan.toml").write_text(plan)
    (folder / "phases.json").write_text(json.dumps(phases))
    (folder / "environment.json").write_text(json.dumps(environment))
    (folder / "faults.jsonl").write_text("".join(json.dumps(f) + "\n" for f in faults))
    (folder / "histograms.json").write_text(json.dumps({}))


def main() -> None:
    """Write one to the folder named on the command line."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--devices", type=int, default=2_000)
    arguments.add_argument("--rate", type=int, default=300)
    arguments.add_argument("--healthy", action="store_true")
    asked = arguments.parse_args()
    write(asked.folder, Size(devices=asked.devices, rate=asked.rate, broken=not asked.healthy))


if __name__ == "__main__":
    main()
