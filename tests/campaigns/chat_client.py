"""One streamed chat over HTTP, with the times that users feel."""
import json
import time
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int = 0
    text: str = ""
    begin: float = 0.0
    end: float = 0.0
    token_times: list = field(default_factory=list)
    usage: dict = field(default_factory=dict)
    error: str = ""

    @property
    def ok(self):
        return self.status == 200 and not self.error

    @property
    def first_token_seconds(self):
        return self.token_times[0] - self.begin if self.token_times else float("nan")

    @property
    def longest_gap_seconds(self):
        return max((b - a for a, b in zip(self.token_times, self.token_times[1:])), default=0.0)

    @property
    def tokens(self):
        return self.usage.get("completion_tokens", len(self.token_times))


async def chat(session, url, model, messages, **options):
    """Asks and reads to the end; failures are in the answer, not raised."""
    answer = Answer(begin=time.monotonic())
    body = {"model": model, "messages": messages, "stream": True,
            "stream_options": {"include_usage": True}} | options
    try:
        async with session.post(url + "/v1/chat/completions", json=body) as response:
            answer.status = response.status
            if response.status != 200:
                answer.error = (await response.text())[:300]
                return answer
            async for line in response.content:
                _read(line, answer)
    except Exception as failure:  # a cut connection is a result here
        answer.error = f"{type(failure).__name__}: {failure}"
    answer.end = time.monotonic()
    return answer


def _read(line, answer):
    if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
        return
    event = json.loads(line[6:])
    if "error" in event:
        answer.error = json.dumps(event["error"])
    if event.get("usage"):
        answer.usage = event["usage"]
    for choice in event.get("choices", []):
        delta = choice.get("delta", {})
        text = (delta.get("reasoning_content") or "") + (delta.get("content") or "")
        if text:
            answer.text += text
            answer.token_times.append(time.monotonic())
