"""What a file of prices or forecasts says about the steps of a horizon, and what keeps it from being used."""

import warnings
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import fastparquet
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.feeds import Series, UnreadableSeriesError, read_series
from tests.zones import TRANSITIONS
from vpp.domain.horizon import Horizon
from vpp.domain.series import SeriesSource

DAY = date(2026, 11, 23)


def day(step_minutes=60, first=DAY, last=None, timezone="UTC"):
    return Horizon.of_local_days(first, last or first, timezone, step_minutes * 60)


def rows_every(minutes, count, first=datetime(2026, 11, 23, tzinfo=UTC)):
    return [first + timedelta(minutes=minutes * k) for k in range(count)]


def written(starts, values):
    lines = (f"{at:%Y-%m-%dT%H:%M:%SZ},{value}" for at, value in zip(starts, values, strict=True))
    return "\n".join(["start_utc,price", *lines]) + "\n"


@pytest.fixture
def read(tmp_path):
    """Write a text as a CSV file and read it as a series."""

    def reader(text, **fields):
        (tmp_path / "prices.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_series(SeriesSource("prices.csv", fields.pop("column", "price"), **fields), tmp_path)

    return reader


def problems(series, horizon):
    return [problem.text for problem in series.problems(horizon)]


def test_a_row_per_step_is_taken_as_it_is(read):
    series = read(written(rows_every(60, 24), range(24)))
    assert problems(series, day()) == []
    assert series.over(day()) == tuple(map(float, range(24)))
    assert series.describe(day()) == "24 rows cover 24 of 24 steps"


def test_a_coarser_series_is_held_over_the_steps_it_covers(read):
    series = read(written(rows_every(60, 24), range(24)))
    assert problems(series, day(15)) == []
    assert series.over(day(15)) == tuple(float(k // 4) for k in range(96))
    assert series.describe(day(15)) == "24 rows of 60 min, held cover 96 of 96 steps"


def test_a_finer_series_is_averaged(read):
    series = read(written(rows_every(15, 96), range(96)))
    assert series.over(day()) == tuple(4 * k + 1.5 for k in range(24))
    assert series.describe(day()) == "96 rows of 15 min, averaged cover 24 of 24 steps"


def test_rows_across_an_edge_of_steps_count_by_the_time_they_share(read):
    """Rows of 40 minutes under steps of 60: the second row shares 20 minutes with either step."""
    series = read(written(rows_every(40, 36), [30, 60, 90] * 12))
    assert series.over(day())[:2] == pytest.approx([(40 * 30 + 20 * 60) / 60, (20 * 60 + 40 * 90) / 60])


def test_a_short_first_step_averages_only_what_is_left_of_it(read):
    series = read(written(rows_every(15, 96), range(96)))
    rest = day().starting_at(datetime(2026, 11, 23, 1, 40, tzinfo=UTC))
    assert series.over(rest)[:2] == pytest.approx(((5 * 6 + 15 * 7) / 20, 9.5))


def test_a_row_from_before_the_horizon_is_held_into_it(read):
    series = read(written(rows_every(60, 25, datetime(2026, 11, 22, 23, 30, tzinfo=UTC)), range(25)))
    assert problems(series, day(30)) == []
    assert series.over(day(30))[:3] == (0.0, 1.0, 1.0)


def test_rows_may_stand_in_any_order_and_name_any_zone(read):
    text = "start_utc,price\n2026-11-23T12:00:00+00:00,2\n2026-11-23T08:00:00+08:00,1\n"
    assert read(text).over(day(60)) == (1.0,) * 12 + (2.0,) * 12


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(read):
    text = written(rows_every(60, 24), range(24)).replace("\n", "\r\n")
    assert read(b"\xef\xbb\xbf" + text.encode()).over(day()) == tuple(map(float, range(24)))


def test_every_missing_row_is_named(read):
    starts = rows_every(60, 24)
    series = read(written(starts[:4] + starts[5:7] + starts[8:], range(22)))
    (problem,) = series.problems(day(15))
    assert problem.text == "no row for 2026-11-23T04:00:00Z, 2026-11-23T07:00:00Z"
    assert problem.remedy.startswith("88 of 96 steps are covered.")


def test_many_missing_rows_are_counted(read):
    series = read(written(rows_every(60, 10), range(10)))
    named = ", ".join(f"2026-11-23T{hour}:00:00Z" for hour in range(10, 15))
    assert problems(series, day()) == [f"no row for {named} and 9 more"]


@pytest.mark.parametrize("shift_days", [-400, -2, -1, 1, 2, 400])
def test_a_series_of_other_days_does_not_cover_the_day(read, shift_days):
    first = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=shift_days)
    series = read(written(rows_every(60, 24, first), range(24)))
    assert not series.covers(day())
    assert problems(series, day())[0].startswith("no row for 2026-11-23T00:00:00Z, 2026-11-23T01:00:00Z")


def test_a_day_with_two_rows_is_not_stretched_over_the_day(read):
    """Rows are hourly on the days around, so twelve hours without a row are a gap."""
    starts = rows_every(60, 72, datetime(2026, 11, 22, tzinfo=UTC))
    kept = [at for at in starts if at.date() != DAY or at.hour in (0, 12)]
    told = problems(read(written(kept, [1.0] * len(kept))), day())
    assert told[0].startswith("no row for 2026-11-23T01:00:00Z, 2026-11-23T02:00:00Z")
    assert told[0].endswith("and 17 more")


def test_a_gap_over_midnight_is_found(read):
    starts = rows_every(60, 48, datetime(2026, 11, 22, 12, tzinfo=UTC))
    kept = [at for at in starts if at.hour not in (0, 23)]
    assert problems(read(written(kept, kept)), day())[0] == "no row for 2026-11-23T00:00:00Z, 2026-11-23T23:00:00Z"


@pytest.mark.parametrize("first", [date(2025, 9, 30), date(2025, 10, 1)])
def test_a_market_may_change_from_hours_to_quarter_hours(read, first):
    starts = rows_every(60, 48, datetime(2025, 9, 28, 22, tzinfo=UTC))
    starts += rows_every(15, 192, datetime(2025, 9, 30, 22, tzinfo=UTC))
    series = read(written(starts, range(len(starts))))
    assert problems(series, day(15, first, timezone="Europe/Berlin")) == []
    assert problems(series, day(15, first, first + timedelta(days=1), "Europe/Berlin")) == []


def test_a_missing_quarter_hour_is_found_on_the_first_day_of_quarter_hours(read):
    starts = rows_every(60, 24, datetime(2025, 9, 29, 22, tzinfo=UTC))
    starts += rows_every(15, 192, datetime(2025, 9, 30, 22, tzinfo=UTC))
    del starts[25]
    told = problems(read(written(starts, range(len(starts)))), day(15, date(2025, 10, 1), timezone="Europe/Berlin"))
    assert told == ["no row for 2025-09-30T22:15:00Z"]


@pytest.mark.parametrize("of_the_change", [date(2026, 3, 29), date(2026, 10, 25)])
def test_one_row_for_each_local_day_covers_days_of_23_and_25_hours(read, of_the_change):
    berlin = ZoneInfo("Europe/Berlin")
    midnights = [datetime(2026, 3, 1, tzinfo=berlin) + timedelta(days=k) for k in range(300)]
    series = read(written([at.astimezone(UTC) for at in midnights], range(300)))
    horizon = day(60, of_the_change, timezone="Europe/Berlin")
    assert problems(series, horizon) == []
    assert set(series.over(horizon)) == {float((of_the_change - date(2026, 3, 1)).days)}


def test_one_row_for_each_month_covers_every_day_of_it(read):
    series = read(written([datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 13)], range(12)))
    assert problems(series, day(60, date(2026, 7, 31))) == []
    assert series.over(day(60, date(2026, 7, 31))) == (6.0,) * 24


@pytest.mark.parametrize("which", [0, 7, 23])
def test_a_repeated_row_is_named(read, which):
    starts = rows_every(60, 24)
    text = written([*starts, starts[which]], range(25))
    assert problems(read(text), day()) == [f"more than one row for {starts[which]:%Y-%m-%dT%H:%M:%SZ}"]


@pytest.mark.parametrize(
    ("cell", "told"),
    [("", "empty or NaN"), ("NaN", "empty or NaN"), ("null", "empty or NaN"), ("n/a", "empty or NaN"),
     ("abc", "'abc'"), ('"1,5"', "'1,5'"), ("inf", "'inf'"), ("--", "'--'")],
)  # fmt: skip
def test_a_cell_without_a_number_is_named(read, cell, told):
    values = [*range(5), cell, *range(6, 24)]
    (text,) = problems(read(written(rows_every(60, 24), values)), day())
    assert text == f"no number: {told} at 2026-11-23T05:00:00Z"


def test_every_kind_of_problem_is_found_at_once(read):
    starts = rows_every(60, 24)
    del starts[3]
    told = problems(read(written([*starts, starts[10]], [*range(22), "?", 0])), day())
    assert [text.split(" ")[0] for text in told] == ["no", "more", "no"]


def test_what_is_wrong_on_other_days_does_not_matter(read):
    starts = rows_every(60, 72, datetime(2026, 11, 22, tzinfo=UTC))
    values = ["x" if at.date() != DAY else at.hour for at in starts]
    kept = [(at, value) for at, value in zip(starts, values, strict=True) if at.date() == DAY or at.hour % 5]
    assert problems(read(written(*zip(*kept, strict=True))), day()) == []


@pytest.mark.parametrize(
    ("text", "part", "told"),
    [
        ("", "file", "cannot be read"),
        ("start_utc,price\n", "file", "has no rows"),
        (b"start_utc,price\n2026-11-23T00:00:00Z,\xff\n", "file", "cannot be read"),
        ("start_utc,price\n2026-11-23T00:00:00Z,1\n2026-11-23T01:00:00Z,1,2,3\n", "file", "cannot be read"),
        ("when,price\n2026-11-23T00:00:00Z,1\n", "file", "no column 'start_utc'"),
        ("start_utc,prices\n2026-11-23T00:00:00Z,1\n", "column", "no column 'price'"),
        (
            "start_utc,price\n2026-11-23T00:00:00,1\n",
            "file",
            "row 1 is '2026-11-23T00:00:00', which names no time zone",
        ),
        (
            "start_utc,price\n2026-11-23T00:00:00Z,1\n2026-13-23T00:00:00Z,1\n",
            "file",
            "row 2 is '2026-13-23T00:00:00Z'",
        ),
        ("start_utc,price\n,1\n", "file", "row 1 is"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(read, text, part, told):
    with pytest.raises(UnreadableSeriesError) as error:
        read(text)
    assert error.value.part == part
    assert told in error.value.problem.text


def test_a_missing_file_is_named_with_the_place_where_it_was_looked_for(tmp_path):
    with pytest.raises(UnreadableSeriesError, match="no such file") as error:
        read_series(SeriesSource("none.csv", "price"), tmp_path)
    assert error.value.part == "file"
    assert str(tmp_path / "none.csv") in error.value.problem.remedy


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "prices.csv").mkdir()
    with pytest.raises(UnreadableSeriesError, match="no such file"):
        read_series(SeriesSource("prices.csv", "price"), tmp_path)


def test_a_misspelt_column_is_guessed(read):
    with pytest.raises(UnreadableSeriesError) as error:
        read("start_utc,pv_kw\n2026-11-23T00:00:00Z,1\n", column="pvkw")
    assert error.value.problem.remedy == "Did you mean 'pv_kw'? The file has start_utc, pv_kw."


REGIONS = "start_utc,region,price\n2026-11-23T00:00:00Z,NSW1,1\n2026-11-23T00:00:00Z,SA1,2\n2026-11-23T00:00:00Z,,3\n"


@pytest.mark.parametrize(("region", "price"), [("NSW1", 1.0), ("SA1", 2.0)])
def test_where_picks_rows_of_a_longer_table(read, region, price):
    assert set(read(REGIONS, where={"region": region}).over(day(60))) == {price}


def test_where_without_a_match_names_what_there_is(read):
    with pytest.raises(UnreadableSeriesError) as error:
        read(REGIONS, where={"region": "QLD1"})
    assert error.value.part == "where"
    assert (error.value.problem.text, error.value.problem.remedy) == (
        "no row with region = 'QLD1'",
        "There are NSW1, SA1.",
    )


def test_where_on_a_column_that_is_not_there_is_refused(read):
    with pytest.raises(UnreadableSeriesError, match="no column 'zone'") as error:
        read(REGIONS, where={"zone": "NSW1"})
    assert error.value.part == "where"


def test_scale_multiplies_every_value(read):
    series = read(written(rows_every(60, 24), range(24)), scale=-0.5)
    assert series.over(day())[:4] == (0.0, -0.5, -1.0, -1.5)


def test_a_changed_file_is_read_again(read):
    assert read(written(rows_every(60, 24), [1] * 24)).over(day())[0] == 1.0
    assert read(written(rows_every(60, 24), [2] * 24)).over(day())[0] == 2.0


def as_parquet(path, table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fastparquet uses a part of pandas that will go away
        fastparquet.write(str(path), table)


@pytest.mark.parametrize(
    "starts",
    [
        pd.date_range("2026-11-23", periods=24, freq="h", tz="UTC"),
        pd.date_range("2026-11-23T01:00", periods=24, freq="h", tz="Europe/Berlin"),
        pd.date_range("2026-11-23", periods=24, freq="h"),
        [f"2026-11-23T{hour:02d}:00:00Z" for hour in range(24)],
    ],
    ids=["utc", "zone", "naive", "text"],
)
def test_a_parquet_file_says_the_same_as_a_csv_file(tmp_path, starts):
    as_parquet(tmp_path / "prices.parquet", pd.DataFrame({"start_utc": starts, "price": [float(k) for k in range(24)]}))
    series = read_series(SeriesSource("prices.parquet", "price"), tmp_path)
    assert problems(series, day()) == []
    assert series.over(day()) == tuple(map(float, range(24)))


def test_an_empty_instant_in_a_parquet_file_is_refused(tmp_path):
    starts = pd.to_datetime(["2026-11-23T00:00", None])
    as_parquet(tmp_path / "prices.parquet", pd.DataFrame({"start_utc": starts, "price": [1.0, 2.0]}))
    with pytest.raises(UnreadableSeriesError, match="row 2 is NaT, which is no instant"):
        read_series(SeriesSource("prices.parquet", "price"), tmp_path)


@pytest.mark.parametrize("content", [b"", b"start_utc,price\n"])
def test_a_broken_parquet_file_is_refused(tmp_path, content):
    (tmp_path / "prices.parquet").write_bytes(content)
    with pytest.raises(UnreadableSeriesError, match="cannot be read"):
        read_series(SeriesSource("prices.parquet", "price"), tmp_path)


def test_local_days_are_those_of_the_zone(read):
    series = read(written(rows_every(60, 24), range(24)))
    assert series.local_days("UTC") == [DAY]
    assert series.local_days("Asia/Shanghai") == [DAY, date(2026, 11, 24)]


@given(where=st.sampled_from(TRANSITIONS), row_minutes=st.sampled_from([15, 30, 60]), step=st.sampled_from([15, 30]))
def test_any_series_of_a_day_of_a_clock_change_covers_it_whatever_its_steps(where, row_minutes, step):
    """Values are the minutes since the start of the file, so that every step is known beforehand."""
    zone, of_the_change = where
    horizon = Horizon.of_local_days(of_the_change, of_the_change, zone, step * 60)
    first = horizon.start - timedelta(days=1)
    starts = rows_every(row_minutes, 72 * 60 // row_minutes, first)
    begin_s = round(first.timestamp())
    series = Series(
        pd.Index([round(at.timestamp()) for at in starts]).to_numpy(),
        pd.Index([float(row_minutes * k) for k in range(len(starts))]).to_numpy(),
        {},
        first,
    )
    assert problems(series, horizon) == []
    for start, value in zip(horizon.starts, series.over(horizon), strict=True):
        minute = (start.timestamp() - begin_s) / 60
        held = minute // row_minutes * row_minutes
        assert value == held + (step - row_minutes) / 2 if row_minutes < step else value == held


@given(where=st.sampled_from(TRANSITIONS), lost=st.integers(0, 99))
def test_a_lost_row_on_a_day_of_a_clock_change_is_the_one_that_is_named(where, lost):
    zone, of_the_change = where
    horizon = Horizon.of_local_days(of_the_change, of_the_change, zone, 900)
    starts = [*rows_every(15, 96, horizon.start - timedelta(days=1)), *horizon.starts, *rows_every(15, 96, horizon.end)]
    lost %= horizon.count
    kept = pd.Index([round(at.timestamp()) for at in starts if at != horizon.starts[lost]]).to_numpy()
    series = Series(kept, kept.astype(float), {}, horizon.start)
    assert problems(series, horizon) == [f"no row for {horizon.starts[lost]:%Y-%m-%dT%H:%M:%SZ}"]
