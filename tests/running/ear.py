"""A client, not of our own making, that hears all of a site and says what operators, feeds and vandals say."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

ROOT = "vpp/v1/tiny"


@dataclass(frozen=True)
class Heard:
    """A message, and when it came on this machine's monotonic clock."""

    at_s: float
    topic: str
    payload: bytes
    is_retained: bool

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.payload)


class Ear:
    """Connected for as long as it is entered; it comes back after every loss."""

    def __init__(self, port: int) -> None:
        self.heard: list[Heard] = []
        self._news = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"ear-{uuid.uuid4().hex[:8]}")
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._thread = threading.Thread(target=self._client.loop_forever, args=(0.1,))
        self.port = port
        self._up = threading.Event()
        self._seq = int(time.time() * 1000)

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self.port, keepalive=10)
        self._thread.start()
        assert self._up.wait(10), "the broker does not answer"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._thread.join(10)

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe([(f"{ROOT}/#", 1), ("other/#", 1)])
        self._up.set()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        with self._news:
            self.heard.append(Heard(time.monotonic(), message.topic, message.payload, message.retain))
            self._news.notify_all()

    def now(self) -> int:
        """A mark: what comes later has this index or a greater one."""
        return len(self.heard)

    def find(self, topic: str, fits: Callable[[Heard], bool], since: int = 0) -> Heard | None:
        """The first message on a topic below the site's root that fits."""
        for heard in self.heard[since:]:
            if heard.topic == f"{ROOT}/{topic}" and heard.payload and fits(heard):
                return heard
        return None

    def all(self, topic: str, since: int = 0) -> list[Heard]:
        """All messages on a topic below the site's root."""
        return [heard for heard in self.heard[since:] if heard.topic == f"{ROOT}/{topic}" and heard.payload]

    def wait(
        self, topic: str, fits: Callable[[Heard], bool] = lambda _: True, seconds: float = 10.0, since: int = 0
    ) -> Heard:
        """Wait for a message; it may have come already, since a mark."""
        ends_s = time.monotonic() + seconds
        with self._news:
            while True:
                found = self.find(topic, fits, since)
                if found is not None:
                    return found
                left_s = ends_s - time.monotonic()
                last = self.all(topic)[-1:]
                assert left_s > 0, f"nothing on {topic} fits within {seconds:g} s; the last was {last}"
                self._news.wait(min(left_s, 0.5))

    def publish(self, topic: str, payload: bytes | dict[str, Any], *, is_retained: bool = False) -> None:
        """Publish at quality 1 and wait until the broker has it."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(f"{ROOT}/{topic}", body, qos=1, retain=is_retained).wait_for_publish(10)

    def send(self, topic: str, document: dict[str, Any]) -> None:
        """Publish at quality 1 without waiting."""
        self._client.publish(f"{ROOT}/{topic}", json.dumps(document).encode(), qos=1)

    def request(self, asset: str, action: str, value: float | str | None = None, **changes: Any) -> dict[str, Any]:
        """An operator's request, as anybody could write it by hand."""
        now = datetime.now(UTC)
        self._seq += 1
        made = {
            "id": uuid.uuid4().hex,
            "operator": "anna",
            "site": "tiny",
            "asset": asset,
            "action": action,
            "at": utc(now),
            "expires": utc(now + timedelta(seconds=60)),
            "duration_s": 60,
            "reason": "test",
            "seq": self._seq,
        } | ({} if value is None else {"value": value})
        return made | changes

    def ask(self, request: dict[str, Any], seconds: float = 5.0) -> dict[str, Any]:
        """Send a request; returns its answer."""
        since = self.now()
        operator = request["operator"]
        self.publish(f"op/{operator}/req", request)
        answer = self.wait(f"op/{operator}/resp", lambda h: h.document["id"] == request["id"], seconds, since)
        return answer.document


def utc(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
