"""A streamed chat and a structured answer with the client of OpenAI (pip install openai)."""
import json
import os

from openai import OpenAI

client = OpenAI(base_url=os.environ.get("HADAL_URL", "http://127.0.0.1:8080") + "/v1",
                api_key=os.environ.get("HADAL_KEY", "none"))
model = client.models.list().data[0].id

stream = client.chat.completions.create(
    model=model, stream=True, max_tokens=60,
    messages=[{"role": "user", "content": "Name one deep-sea trench."}])
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
print()

schema = {"type": "object", "additionalProperties": False, "required": ["name", "depth_m"],
          "properties": {"name": {"type": "string", "maxLength": 40}, "depth_m": {"type": "integer"}}}
answer = client.chat.completions.create(
    model=model, max_tokens=80,
    messages=[{"role": "user", "content": "A deep-sea trench and its depth, as JSON."}],
    response_format={"type": "json_schema", "json_schema": {"name": "trench", "strict": True, "schema": schema}})
print(json.loads(answer.choices[0].message.content))
