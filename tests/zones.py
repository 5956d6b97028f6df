"""Local days on which clocks change, in zones that do it each in their own way."""

from datetime import date

HOURS = {
    ("Europe/Berlin", date(2026, 3, 29)): 23,
    ("Europe/Berlin", date(2026, 10, 25)): 25,
    ("Europe/London", date(2026, 3, 29)): 23,
    ("America/Chicago", date(2026, 3, 8)): 23,
    ("America/Chicago", date(2026, 11, 1)): 25,
    ("America/Santiago", date(2026, 9, 6)): 23,  # clocks skip midnight: the day begins at 01:00
    ("America/Santiago", date(2026, 4, 4)): 25,  # 23:00 comes twice
    ("Australia/Lord_Howe", date(2026, 4, 5)): 24.5,
    ("Australia/Lord_Howe", date(2026, 10, 4)): 23.5,
    ("Africa/Casablanca", date(2026, 2, 15)): 25,
    ("Asia/Kathmandu", date(2026, 5, 1)): 24,
    ("Asia/Shanghai", date(2026, 11, 23)): 24,
}
"""Hours of a local day, by zone and day. Kathmandu and Shanghai never change; Kathmandu is 5:45 ahead of UTC."""

TRANSITIONS = sorted(HOURS)
