// The official clients for JavaScript against the server at $HADAL_URL: what they accept of streams
// is stricter than what the ones for Python do.
import assert from 'node:assert/strict';
import test from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';

const url = process.env.HADAL_URL;
const model = 'tiny';
const messages = [{ role: 'user', content: 'Hi there' }];
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 });
const ollama = new Ollama({ host: url });
const chat = { model, messages, temperature: 0, max_tokens: 12, reasoning_effort: 'none' };

test('openai: a whole answer', async () => {
  const answer = await openai.chat.completions.create({ ...chat, n: 3 });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1, 2]);
});

test('openai: the stream helper sees a role, a finish and the usage', async () => {
  const stream = openai.chat.completions.stream({ ...chat, stream_options: { include_usage: true } });
  const final = await stream.finalChatCompletion();
  const whole = await openai.chat.completions.create(chat);
  assert.equal(final.choices[0].message.content ?? '', whole.choices[0].message.content ?? '');
  assert.ok((await stream.totalUsage()).total_tokens > 0);
});

test('openai: responses by the stream helper', async () => {
  const request = { model, input: 'Hi there', temperature: 0, max_output_tokens: 20, reasoning: { effort: 'none' } };
  const final = await openai.responses.stream(request).finalResponse();
  assert.equal(final.output_text, (await openai.responses.create(request)).output_text);
});

test('openai: errors have their class, and embeddings are refused', async () => {
  await assert.rejects(openai.chat.completions.create({ ...chat, model: 'none' }), OpenAI.NotFoundError);
  await assert.rejects(openai.chat.completions.create({ ...chat, messages: [] }), OpenAI.BadRequestError);
  await assert.rejects(openai.embeddings.create({ model, input: 'x' }), OpenAI.BadRequestError);
});

test('openai: models', async () => {
  const names = [];
  for await (const listed of openai.models.list()) names.push(listed.id);
  assert.ok(names.includes(model));
});

test('anthropic: whole and streamed', async () => {
  const request = { model, max_tokens: 12, messages, stop_sequences: ['\u0000'] };
  const whole = await anthropic.messages.create(request);
  assert.equal(whole.role, 'assistant');
  const final = await anthropic.messages.stream(request).finalMessage();
  assert.equal(final.type, 'message');
  assert.ok(final.usage.output_tokens > 0);
});

test('anthropic: tokens are counted, errors have their class', async () => {
  const counted = await anthropic.messages.countTokens({ model, messages });
  assert.ok(counted.input_tokens > 0);
  await assert.rejects(anthropic.messages.create({ model: 'none', max_tokens: 1, messages }), Anthropic.NotFoundError);
});

test('ollama: streams end with done', async () => {
  const options = { temperature: 0, num_predict: 12 };
  let text = '';
  let last;
  for await (const piece of await ollama.chat({ model, messages, options, think: false, stream: true })) {
    text += piece.message.content;
    last = piece;
  }
  assert.equal(last.done, true);
  const whole = await ollama.chat({ model, messages, options, think: false });
  assert.equal(text, whole.message.content);
});

test('ollama: models, and what is not there', async () => {
  const listed = await ollama.list();
  assert.ok(listed.models.some((one) => one.name === `${model}:latest`));
  assert.ok((await ollama.show({ model })).capabilities.includes('completion'));
  await assert.rejects(ollama.delete({ model: 'none' }), /not found/);
  await assert.rejects(ollama.pull({ model: 'none' }), /not supported/);
});
