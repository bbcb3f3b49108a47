"""A streamed message with the client of Anthropic (pip install anthropic)."""
import os

from anthropic import Anthropic

client = Anthropic(base_url=os.environ.get("HADAL_URL", "http://127.0.0.1:8080"),
                   api_key=os.environ.get("HADAL_KEY", "none"))
model = client.models.list().data[0].id
with client.messages.stream(model=model, max_tokens=60,
                            messages=[{"role": "user", "content": "Name one deep-sea trench."}]) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
print()
