"""What a soak counted, and the table that says it."""

from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any


@dataclass(slots=True)
class Tally:
    """The numbers of one soak; times in seconds, sizes in bytes."""

    imports: int = 0
    kills: int = 0
    faults: int = 0
    seconds: float = 0.0
    lease_seconds: float = 0.0
    chunk_bytes: int = 0
    parallel: int = 0
    lost: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    early_tags: list[str] = field(default_factory=list)
    image_bytes: int = 0
    sent_bytes: int = 0
    manifests_again: int = 0
    takeovers: list[float] = field(default_factory=list)
    hidden_takeovers: list[float] = field(default_factory=list)
    runs: int = 0

    @property
    def sent_twice(self) -> int:
        """Bytes of blobs that the target received beyond those it needed."""
        return max(0, self.sent_bytes - self.image_bytes)

    @property
    def beyond_promise(self) -> int:
        """Bytes sent twice beyond what is promised: a chunk of each blob under way, for each kill and each fault."""
        allowed = self.chunk_bytes * (self.kills * self.parallel + self.faults)
        return max(0, self.sent_twice - allowed)

    @property
    def slow_takeovers(self) -> int:
        """Takeovers that came later than the lease time and five seconds after the kill."""
        return sum(pause > self.lease_seconds + 5 for pause in self.takeovers)

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        broken = (self.lost, self.failed, self.wrong, self.early_tags, self.beyond_promise, self.slow_takeovers)
        return not any(broken)

    def note_takeovers(self, record: dict[str, Any], kills: list[tuple[datetime, str]]) -> None:
        """Find out how long after a kill each takeover in a record's history came.

        Where another host was killed in between, it may have received the message and not claimed it yet: the Functions
        host hides a message for ten minutes when it receives it. Those are counted apart, and have no bound: each such
        death costs up to ten minutes.

        Args:
            record: As `GET /api/imports/{id}` gives it.
            kills: When which worker was killed, as the history names workers.
        """
        worker = ""
        for event in record["history"]:
            at = datetime.fromisoformat(event["at"])
            if event["event"] == "TakenOver":
                before = [moment for moment, victim in kills if worker.endswith(f"/{victim}") and moment <= at]
                if before:
                    pause = (at - max(before)).total_seconds()
                    others = any(max(before) < moment < at for moment, _ in kills)
                    (self.hidden_takeovers if others else self.takeovers).append(pause)
            if event.get("detail", "").startswith("by "):
                worker = event["detail"].removeprefix("by ").partition(",")[0]

    def table(self) -> str:
        """The table, in Markdown."""
        pauses, hidden = sorted(self.takeovers) or [0.0], sorted(self.hidden_takeovers) or [0.0]
        rows = (
            ("imports, all accepted with 202", f"{self.imports}", ""),
            ("`kill -9` of one of three hosts", f"{self.kills}", ""),
            ("faults injected at the registries", f"{self.faults}", ""),
            ("runs that the imports took", f"{self.runs}", ""),
            ("imports lost (no final state)", f"{len(self.lost)}", "0"),
            ("imports failed", f"{len(self.failed)}", "0"),
            ("imports with wrong bytes", f"{len(self.wrong)}", "0"),
            ("tags seen before their content", f"{len(self.early_tags)}", "0"),
            ("bytes of the images", f"{self.image_bytes:,}", ""),
            ("bytes sent twice", f"{self.sent_twice:,}", ""),
            ("… beyond a chunk of each blob under way per kill, and one per fault", f"{self.beyond_promise:,}", "0"),
            ("manifests put more than once", f"{self.manifests_again}", ""),
            ("takeovers after the death of the host", f"{len(self.takeovers)}", ""),
            ("… kill to takeover, median and longest, s", f"{median(pauses):.1f}, {pauses[-1]:.1f}", ""),
            (f"… longer than the lease time ({self.lease_seconds:g} s) and 5 s", f"{self.slow_takeovers}", "0"),
            ("takeovers before which another host was killed, too", f"{len(self.hidden_takeovers)}", ""),
            ("… first kill to takeover, median and longest, s", f"{median(hidden):.1f}, {hidden[-1]:.1f}", ""),
            ("duration, s", f"{self.seconds:.0f}", ""),
        )
        lines = ["| | seen | promised |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]
        return "\n".join(lines)
