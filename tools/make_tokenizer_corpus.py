#!/usr/bin/env python3
"""Makes tests/corpus/{tokenizer,tiktoken}: small tokenizers, good ones and ones with one thing
wrong, as seeds of tokenizer_fuzz and tiktoken_fuzz.

The output is checked in. Run it again after a change here: tools/make_tokenizer_corpus.py
"""
import base64
import copy
import json
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "corpus"
LETTERS = [chr(c) for c in range(33, 127)] + ["\u0120", "\u010a", "\u00e4", "\u00b8", "\u0143"]
PATTERN = r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{M}&&[^\p{Han}]]+|\p{N}{1,3}| ?[^\s\p{L}]+[\r\n]*|\s+(?!\S)|\s+$|."


def put(kind, name, content):
    target = ROOT / kind / name
    target.write_bytes(content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode())


def base():
    tokens = LETTERS + ["he", "ll", "hell", "\u0120w", "aa", "aaaa"]
    return {"normalizer": None, "added_tokens": [{"id": 200, "content": "<s>", "special": True}],
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
            "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "vocab": {token: i for i, token in enumerate(tokens)},
                      "merges": ["h e", ["l", "l"], "he ll", "\u0120 w", "a a", "aa aa"]}}


def steps(*inner):
    return {"type": "Sequence", "pretokenizers": [*inner, {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]}


def split(pattern, behavior="Isolated", **more):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, **more}


def json_corpus():
    def change(name, **members):
        tree = copy.deepcopy(base())
        tree.update(members)
        put("tokenizer", name, tree)

    def model(name, **members):
        tree = copy.deepcopy(base())
        tree["model"].update(members)
        put("tokenizer", name, tree)

    change("ok")
    change("ok_nfc", normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}]})
    change("ok_nfd", normalizer={"type": "NFD"})
    change("ok_pattern", pre_tokenizer=steps({"type": "Digits", "individual_digits": True}, split({"Regex": PATTERN})))
    change("ok_prefix", pre_tokenizer={"type": "ByteLevel"})
    change("ok_bos", post_processor={"type": "Sequence", "processors": [{"type": "TemplateProcessing",
           "single": [{"SpecialToken": {"id": "<s>"}}], "special_tokens": {"<s>": {"ids": [200]}}}]})
    change("ok_config", config={"bos_token": {"content": "<s>"}, "eos_token_id": 1, "add_bos_token": True},
           overlay={"added_tokens": [{"id": 200, "content": "<t>"}, {"id": 201, "content": "<u>"}]})
    change("ok_flags", added_tokens=[
        {"id": 200, "content": "<s>", "lstrip": True, "rstrip": True}, {"id": 201, "content": "It", "single_word": True},
        {"id": 202, "content": "e\u0301", "normalized": True}])
    change("ok_decoders", decoder={"type": "Sequence", "decoders": [{"type": "ByteLevel"}]})
    for behavior in ("Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        change("ok_" + behavior, pre_tokenizer=steps(split({"String": "a"}, behavior, invert=behavior == "Removed")))
    for number, pattern in enumerate((r"(?<=a)\x41*?|\u0042++|(?>c|d)(?<!e){0}", r"[\s\S&&[^\d]-]+|^a|\Ab\z|\p{^Zs}",
                                      "[a-", "(", r"\w", r"[z-a]", "a{3,1}", r"\p{Q}", "(?i)a", "(?i:\u00e9)", "a**", "[[:a:]]",
                                      "\\", r"\x{110000}", r"[\s-a]", "(?:a|a)*b", "(?i:st)", "(?=a)+", "a{2}+")):
        change(f"pattern_{number}", pre_tokenizer=steps(split({"Regex": pattern})))
    model("ok_unknown", unk_token="?", fuse_unk=True)
    model("ok_ignore_merges", ignore_merges=True)
    model("no_unknown", unk_token="absent")
    model("merge_unknown", merges=["q zzz"])
    model("merge_odd", merges=["a b c"])
    model("merges_number", merges=3)
    model("id_text", vocab={"a": "b"})
    model("id_huge", vocab={"a": 1 << 40})
    model("id_twice", vocab={"a": 1, "b": 1})
    model("empty_token", vocab={"": 1})
    model("byte_fallback", byte_fallback=True)
    model("dropout", dropout=0.5)
    model("unigram", type="Unigram")
    change("no_model", model=None)
    change("no_vocab", model={})
    change("added_twice", added_tokens=[{"id": 200, "content": "x"}, {"id": 200, "content": "y"}])
    change("added_same", added_tokens=[{"id": 200, "content": "x"}, {"id": 201, "content": "x"}])
    change("added_no_id", added_tokens=[{"content": "x"}])
    change("added_empty", added_tokens=[{"id": 1, "content": ""}])
    change("added_number", added_tokens=7)
    change("step_unknown", pre_tokenizer={"type": "Metaspace"})
    change("step_none", pre_tokenizer=None)
    change("step_behind", pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]})
    change("step_no_list", pre_tokenizer={"type": "Sequence"})
    change("split_no_pattern", pre_tokenizer=steps(split({})))
    change("split_behavior", pre_tokenizer=steps(split({"Regex": "a"}, "Aside")))
    change("split_invert", pre_tokenizer=steps(split({"Regex": "a"}, invert=1)))
    change("normalizer_unknown", normalizer={"type": "Lowercase"})
    change("normalizer_no_list", normalizer={"type": "Sequence"})
    change("normalizer_nested", normalizer={"type": "Sequence", "normalizers": [{"type": "Sequence"}]})
    change("decoder_unknown", decoder={"type": "WordPiece"})
    change("config_bos", config={"bos_token_id": 900}, overlay=None)
    change("config_flag", config={"add_bos_token": 1})
    change("overlay_empty", overlay={})


def gguf_corpus():
    def change(name, **members):
        tokens = LETTERS + ["he", "<s>", "<u>", ""]
        tree = {"model": "gpt2", "pre": "smollm", "tokens": tokens, "token_type": [1] * len(LETTERS) + [1, 3, 4, 1],
                "merges": ["h e"], "bos_token_id": 1, "eos_token_id": 2, "add_bos_token": True}
        tree.update(members)
        put("tokenizer", "gguf_" + name, {"tokenizer.ggml." + key: value for key, value in tree.items() if value is not None})

    change("ok")
    for pre in ("gpt-2", "llama-bpe", "qwen2", "deepseek-llm", "deepseek-coder", "deepseek-v3", "kimi-k2"):
        change("pre_" + pre, pre=pre)
    change("kimi_ranks", pre="kimi-k2", merges=None)
    change("no_merges", merges=None)
    change("no_pre", pre=None)
    change("pre_unknown", pre="tekken")
    change("no_vocab", model="no_vocab")
    change("model_unknown", model="llama")
    change("no_tokens", tokens=None)
    change("token_number", tokens=[1], token_type=None)
    change("types_short", token_type=[1])
    change("type_text", tokens=["a"], token_type=["b"], merges=[])
    change("twice", tokens=["a", "a"], token_type=None)
    change("bos_beyond", bos_token_id=5000)
    change("eos_text", eos_token_id="x")
    change("add_bos_number", add_bos_token=3)


def tiktoken_corpus():
    def line(token, rank):
        return base64.b64encode(token) + b" %d\n" % rank

    extra = b"".join(line(token, 256 + i) for i, token in enumerate((b"he", b"ll", b"hell", "\u4e2d".encode())))
    config = {"bos_token": "[BOS]", "added_tokens_decoder": {"260": {"content": "[BOS]", "special": True}, "900": {"content": "x"}}}
    put("tiktoken", "ok", extra)
    put("tiktoken", "ok_config", extra + b"\0" + json.dumps(config).encode())
    put("tiktoken", "alone", b"".join(line(bytes([i]), i) for i in range(256)) + extra)
    for name, content in (("gap", line(b"ab", 300)), ("taken", line(b"ab", 3)), ("twice", line(b"a", 256)),
                          ("negative", b"YWI= -1\n"), ("no_space", b"YWI=256\n"), ("no_base64", b"!! 256\n"),
                          ("padding", b"YWI 256\r\n"), ("long", line(b"z" * 1500, 256)), ("empty", b"\n\n")):
        put("tiktoken", name, content)
    for name, decoder in (("low", {"3": {"content": "x"}}), ("text", {"x": {"content": "x"}}), ("list", []),
                          ("same", {"257": {"content": "<|reserved_token_258|>"}})):
        put("tiktoken", "config_" + name, b"\0" + json.dumps({"added_tokens_decoder": decoder}).encode())


def main():
    for kind in ("tokenizer", "tiktoken"):
        shutil.rmtree(ROOT / kind, ignore_errors=True)
        (ROOT / kind).mkdir(parents=True)
    json_corpus()
    gguf_corpus()
    tiktoken_corpus()


main()
