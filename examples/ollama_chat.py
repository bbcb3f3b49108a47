"""A streamed chat with the client of Ollama (pip install ollama)."""
import os

from ollama import Client

client = Client(host=os.environ.get("HADAL_URL", "http://127.0.0.1:8080"))
model = client.list().models[0].model
for part in client.chat(model=model, stream=True, options={"num_predict": 60},
                        messages=[{"role": "user", "content": "Name one deep-sea trench."}]):
    print(part.message.content, end="", flush=True)
print()
