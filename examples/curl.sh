#!/usr/bin/env bash
# The same question in four dialects. HADAL_URL, HADAL_KEY and HADAL_MODEL may be set.
set -euo pipefail
url=${HADAL_URL:-http://127.0.0.1:8080}
key=${HADAL_KEY:-none}
model=${HADAL_MODEL:-smollm2-135m-instruct}
question='Name one deep-sea trench.'
ask() {
  printf '\n== %s\n' "$1"
  curl -sS --fail-with-body -H 'Content-Type: application/json' -H "Authorization: Bearer $key" "$url$1" -d "$2"
  echo
}

ask /v1/chat/completions '{"model":"'"$model"'","messages":[{"role":"user","content":"'"$question"'"}],"max_tokens":40}'
ask /v1/messages '{"model":"'"$model"'","max_tokens":40,"messages":[{"role":"user","content":"'"$question"'"}]}'
ask /api/chat '{"model":"'"$model"'","stream":false,"options":{"num_predict":40},"messages":[{"role":"user","content":"'"$question"'"}]}'
# DeepSeek's way: the assistant's answer begins as given.
ask /beta/chat/completions '{"model":"'"$model"'","max_tokens":40,"messages":[{"role":"user","content":"'"$question"'"},{"role":"assistant","content":"The ","prefix":true}]}'
