"""What is damaged, hostile or impossible is refused with a code, the field, the value and what is allowed."""

import json
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.device_messages import read_ack, read_birth, read_command, read_state, read_telemetry
from adapters.market_messages import read_award, read_feed, read_signal
from adapters.messages import MessageError, read_document
from adapters.operator_messages import read_alarm, read_answer, read_dispatcher_state, read_request, request_id

TELE = {
    "at": "2026-06-01T12:00:00Z",
    "boot_id": "b7",
    "seq": 3,
    "export_kw": 12.5,
    "mode": "gfl",
    "quality": "good",
}
REQUEST = {
    "id": "r1",
    "operator": "mary",
    "site": "tiny",
    "asset": "bess1",
    "action": "set_export_kw",
    "value": 100,
    "at": "2026-06-01T12:00:00Z",
    "expires": "2026-06-01T12:01:00Z",
    "duration_s": 900,
    "reason": "test",
    "seq": 1,
}
AWARD = {
    "start_utc": "2026-06-01T12:00:00Z",
    "end_utc": "2026-06-01T16:00:00Z",
    "product": "fcr",
    "direction": "symmetric",
    "quantity_kw": 1000,
    "price": 12,
    "price_unit": "per_mw_h",
}


def refusal(read, *arguments):
    with pytest.raises(MessageError) as refused:
        read(*arguments)
    assert re.fullmatch(r"[\x20-\x7e–…]+", str(refused.value)), (
        "an error stays on one line and holds no control characters"
    )
    assert len(str(refused.value)) < 1000
    return refused.value


def tele(**changes):
    return json.dumps(TELE | changes).encode()


def test_the_samples_are_accepted_as_they_are():
    assert read_telemetry("bess1", tele()).export_kw == 12.5
    assert read_request("mary", json.dumps(REQUEST).encode()).value == 100
    assert read_award("fcr", json.dumps(AWARD).encode()).quantity_kw == 1000


RAW = {
    "empty": (b"", "json"),
    "no JSON": (b"export_kw=5", "json"),
    "cut off": (tele()[:-3], "json"),
    "two documents": (tele() + tele(), "json"),
    "a number": (b"5", "json"),
    "a list": (b"[1, 2]", "json"),
    "null": (b"null", "json"),
    "a string": (b'"hello"', "json"),
    "NaN": (tele(export_kw=float("nan")), "json"),
    "NaN in a key that nobody reads": (tele(other=float("nan")), "json"),
    "Infinity": (tele(export_kw=float("inf")), "json"),
    "beyond all floats": (tele().replace(b"12.5", b"1e999"), "value"),
    "a whole number of 5,000 digits": (tele().replace(b"12.5", b"1" * 5000), "json"),
    "a whole number of 400 digits": (tele().replace(b"12.5", b"1" * 400), "value"),
    "a key twice": (tele()[:-1] + b', "export_kw": 900}', "json"),
    "a key twice inside": (tele(limits=1).replace(b"1}", b'{"charge_kw": 1, "charge_kw": 2}}'), "json"),
    "nested lists": (b"[" * 19_000, "json"),
    "nested objects": (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, "json"),
    "nested in a key that nobody reads": (
        tele(other=0).replace(b": 0}", b": " + b"[" * 9_000 + b"]" * 9_000 + b"}"),
        "json",
    ),
    "20,001 bytes": (tele(other="x" * 20_000), "size"),
    "64 MB": (b"x" * 64_000_000, "size"),
    "no UTF-8": (tele().replace(b"b7", b"\xff\xfe"), "encoding"),
    "UTF-16": (tele().decode().encode("utf-16"), "encoding"),
    "a byte order mark": (b"\xef\xbb\xbf" + tele(), "json"),
    "a surrogate in UTF-8": (tele().replace(b"b7", b"\xed\xa0\x80"), "encoding"),
    "a lone surrogate": (tele().replace(b"b7", rb"\ud800"), "json"),
    "NUL": (b"\0" + tele(), "json"),
}


@pytest.mark.parametrize("name", RAW)
def test_bytes_that_are_no_message_are_refused(name):
    payload, code = RAW[name]
    assert refusal(read_telemetry, "bess1", payload).code == code


FIELDS = {
    "too much power": ({"export_kw": 1.1e7}, "export_kw = 11000000.0: must be less than or equal to 10000000"),
    "a power in a string": ({"export_kw": "12.5"}, "export_kw = '12.5': must be a valid number"),
    "a power that is a truth": ({"export_kw": True}, "export_kw = True: must be a valid number"),
    "a power that is nothing": ({"export_kw": None}, "export_kw = None: must be a valid number"),
    "a percentage": ({"soc_fraction": 55}, "soc_fraction = 55: must be less than or equal to 1"),
    "a negative share": ({"soc_fraction": -0.01}, "soc_fraction = -0.01: must be greater than or equal to 0"),
    "negative energy": ({"stored_kwh": -1}, "stored_kwh = -1: must be greater than or equal to 0"),
    "too slow a grid": ({"frequency_hz": 29.9}, "frequency_hz = 29.9: must be greater than or equal to 30"),
    "too fast a grid": ({"frequency_hz": 500.1}, "frequency_hz = 500.1: must be less than or equal to 80"),
    "a negative limit": ({"limits": {"charge_kw": -1, "discharge_kw": 5}}, "limits.charge_kw = -1: must be"),
    "half a lease": ({"lease": {"epoch": 1}}, "lease.seq is missing"),
    "an unknown mode": ({"mode": "turbo"}, "mode = 'turbo': must be 'gfl', 'gfm_droop'"),
    "an unknown quality": ({"quality": ""}, "quality = '': must be 'good'"),
    "a broken sequence": ({"seq": 1.5}, "seq = 1.5"),
    "a negative sequence": ({"seq": -1}, "seq = -1: must be greater"),
    "a sequence beyond JSON": ({"seq": 2**53}, "seq = 9007199254740992"),
    "a boot id of another alphabet": ({"boot_id": "a/b"}, "boot_id = 'a/b'"),
    "an ANSI sequence": ({"boot_id": "\x1b[31m"}, r"boot_id = '\x1b[31m'"),
    "a local time": (
        {"at": "2026-06-01T12:00:00+02:00"},
        "at = '2026-06-01T12:00:00+02:00': must be an instant in UTC",
    ),
    "a time without a zone": ({"at": "2026-06-01T12:00:00"}, "must be an instant in UTC such as"),
    "a time in seconds": ({"at": 1780315200}, "at = 1780315200: must be an instant in UTC"),
    "a day": ({"at": "2026-06-01"}, "must be an instant in UTC"),
    "a day that does not exist": ({"at": "2026-02-30T12:00:00Z"}, "must be an instant of the calendar"),
    "digits of another script": ({"at": "٢٠٢٦-06-01T12:00:00Z"}, "must be an instant in UTC"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_an_impossible_value_is_refused_by_name(name):
    changes, text = FIELDS[name]
    error = refusal(read_telemetry, "bess1", tele(**changes))
    assert error.code == ("missing" if text.endswith("missing") else "value")
    assert text in error.text


def test_every_missing_field_is_named():
    error = refusal(read_telemetry, "bess1", b'{"export_kw": 5, "mode": "gfl"}')
    assert (error.code, error.text) == (
        "missing",
        "at is missing; boot_id is missing; seq is missing; quality is missing",
    )


def test_a_device_may_say_more_than_is_known_and_an_operator_may_not():
    assert read_telemetry("bess1", tele(cell_temperatures=[1, 2])).seq == 3
    error = refusal(read_request, "mary", json.dumps(REQUEST | {"export_kw": 5}).encode())
    assert (error.code, error.text) == ("unknown_key", "export_kw is no known key")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"value": True}, "value"),
        ({"value": [1]}, "value"),
        ({"value": 1e12}, "value"),
        ({"action": "explode"}, "action = 'explode': must be 'set_export_kw', 'limit_kw'"),
        ({"asset": "a/b"}, "asset = 'a/b'"),
        ({"duration_s": -5}, "duration_s = -5: must be greater than or equal to 0"),
        ({"reason": "one\ntwo"}, "reason = 'one"),
        ({"reason": "x" * 501}, "reason = 'xxx"),
        ({"operator": "eve"}, "operator = 'eve': must be 'mary', as the topic says"),
    ],
)
def test_a_request_that_asks_the_impossible_is_refused(changes, text):
    payload = json.dumps(REQUEST | changes).encode()
    assert text in refusal(read_request, "mary", payload).text
    assert request_id(payload) == "r1", "so that the operator can be told"


@pytest.mark.parametrize("key", [key for key in REQUEST if key != "value"])
def test_a_request_without_one_of_its_claims_is_refused(key):
    payload = json.dumps({name: value for name, value in REQUEST.items() if name != key}).encode()
    error = refusal(read_request, "mary", payload)
    assert (error.code, error.text) == ("missing", f"{key} is missing")


def test_a_birth_under_another_name_is_refused():
    birth = {
        "v": 1,
        "asset": "bess2",
        "boot_id": "b",
        "at": "2026-06-01T12:00:00Z",
        "capabilities": {"charge_kw": 1, "discharge_kw": 1, "modes": ["gfl"]},
        "clock": "none",
        "fallback": "hold",
    }
    assert read_birth("bess2", json.dumps(birth).encode()).energy_kwh is None
    assert "asset = 'bess2': must be 'bess1'" in refusal(read_birth, "bess1", json.dumps(birth).encode()).text
    assert "v = 2" in refusal(read_birth, "bess2", json.dumps(birth | {"v": 2}).encode()).text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"product": "afrr"}, "product = 'afrr': must be 'fcr'"),
        ({"end_utc": AWARD["start_utc"]}, "must be after start_utc"),
        ({"quantity_kw": -1}, "must not be negative unless direction is net"),
        ({"price_unit": "per_kwh"}, "price_unit = 'per_kwh'"),
    ],
)
def test_an_award_that_contradicts_itself_is_refused(changes, text):
    assert text in refusal(read_award, "fcr", json.dumps(AWARD | changes).encode()).text


@pytest.mark.parametrize("values", [[], [1, None], [1, "2"], [1e12], "1,2", [0] * 1501])
def test_a_feed_that_is_no_series_is_refused(values):
    feed = {"start_utc": "2026-06-01T12:00:00Z", "step_s": 900, "values": values, "issued_at": "2026-06-01T11:00:00Z"}
    assert "values" in refusal(read_feed, "pv1", json.dumps(feed).encode()).text


READERS = [
    lambda payload: read_birth("bess1", payload),
    lambda payload: read_state("bess1", payload),
    lambda payload: read_telemetry("bess1", payload),
    lambda payload: read_command("bess1", payload),
    lambda payload: read_ack("bess1", payload),
    lambda payload: read_request("mary", payload),
    lambda payload: read_answer("mary", payload),
    read_dispatcher_state,
    lambda payload: read_alarm("stale", "bess1", payload),
    lambda payload: read_feed("pv1", payload),
    lambda payload: read_award("fcr", payload),
    lambda payload: read_signal("fcr", payload),
    read_document,
    request_id,
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*TELE, *REQUEST, "x"]), inner, max_size=8)
    ),
    max_leaves=20,
)


@given(st.binary(max_size=300) | anything.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
def test_no_payload_does_anything_but_be_read_or_refused(payload):
    for read in READERS:
        with suppress(MessageError):
            read(payload)
