#!/usr/bin/env python3
"""Trains small tokenizers in the style of known model families and writes what the real libraries
make of hard texts. Needs tokenizers, transformers, sentencepiece, protobuf, gguf and llama-cpp-python.
Run: python3 make.py; README.md says what comes out."""

import json
import pathlib
import random
import shutil
import tempfile

import gguf
import llama_cpp
import sentencepiece
import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaTokenizerFast

HERE = pathlib.Path(__file__).parent

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
          r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")

CORPUS = """The lighthouse keeper had counted ships for eleven years, and on the twelfth it's said he'd stopped.
They're not the ones we've seen; I'll tell you what I'm sure you'd like to hear, won't I?
In 2024 the harbour took 1234567 tons, 3.14 times what 1999 took, and 42 ships came in every 7 days.
def count_ships(log, year=2024):
    return sum(1 for line in log if line.startswith(str(year)))
if (x == 0) { return "nothing"; } else { y += 10 * x; }
등대지기는 십일 년 동안 배를 세었다. 배가 들어오는 날에는 등대의 불이 켜졌다.
Der Leuchtturmwärter zählte die Schiffe; über Nacht schliefen größere Häfen.
Le phare était éteint; la mer, déjà loin, répétait les mêmes mots à l'été.
Ο φάρος έμεινε σκοτεινός. Маяк стоял тёмный, и море было тихо.
灯台の光が海を照らす。船は港に入る。灯塔照亮大海。
THE LIGHT WENT OUT. camelCase and CamelCase HTTPServer parseJSONValue iPhone
\tindented\twith tabs\r\nand a carriage return\r\n\r\n   three spaces    four
""" * 4

SPECIALS = ["<s>", "</s>", "<unk>", "<|begin_of_text|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>",
            "[INST]", "[/INST]"]

HARD = [
    "", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "a", " a", "  a", "a ", "a  ", "   a   b   ",
    "The lighthouse keeper counted ships.", "It's what they're sure we've said; I'd, you'll, I'm, don't.",
    "IT'S WHAT THEY'RE SURE WE'VE SAID; I'D, YOU'LL, I'M, DON'T.", "'\u017f and 'S and 'LL'll", "x's's 's", "''s",
    "1", "12", "123", "1234", "1234567890123", "3.14159", "1,234,567", "x1y22z333w4444", " 1 22 333", "١٢٣٤ ४५६ Ⅷ ½ ²",
    "a\tb\t\tc", "line\nline\r\nline\rline\n\n\nline", "trailing newline\n", "\n leading", "tab \t mix \n\t end \t",
    "\u00a0", "a\u00a0b", "\u00a0\u00a0a", "a \u00a0 b", "a\u180eb", "\u180e\u180e", "a\u3000\u3000b", "a\u2028b\u2029c",
    "a\u0085b\u000bc\u000cd", "\u200bzero\u200bwidth\u200d\u200cjoin", "\ufeffbyte order mark", "nul\x00in\x01side\x7f",
    "e\u0301", "\u00e9", "e\u0301a\u0300n\u0303", "a\u0301\u0323 \u0323\u0301", "\u1e9b\u0323", "\u212b \u2126 \u00c5",
    "\u1100\u1161\u11a8", "\uac01", "한국어 텍스트", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "ﬁ ﬃ ㎏ ①",
    "日本語のテキスト。", "中文文本，标点。", "ไทยไม่มีช่องว่าง", "हिन्दी में", "עברית", "العربية", "Ελληνικά", "Русский",
    "🙂", "👨‍👩‍👧‍👦", "🏳️‍🌈🇰🇷", "👍🏽 ok", "a🙂b", "\U0001f9d1\u200d\U0001f680", "\U0010ffff\U000e0001",
    "camelCase CamelCase HTTPServer parseJSONValue ALLCAPS lower ǅungla",
    "e" * 300, "word" * 200, "A" * 100 + "b", "-" * 120, " " * 70 + "x", "\n" * 40, "1" * 50, "가" * 40, "ab " * 60,
    "def f(x):\n    return x  # comment\n\n\nclass A:\n\tpass\n", "{\"key\": [1, 2.5, null]}", "path/to//file.txt///\n//",
    "https://example.org/a?b=c&d=%20#frag", "\\n is not a newline", "!!!???...", "a!b?c.d", "#hash @at $5 €6 100%",
    "\u2581", "a\u2581b", "\u2581\u2581a", " \u2581 ", "<0x41>", "<0xE2><0x96>", "Ġ", "Ċ Ġword", "¡Hola! ¿Qué?",
    "<s>", "<s>a", "a<s>", "a <s> b", "<s> a</s>", "<s><s>", "</s> <unk> x", "<|im_start|>user\nhi<|im_end|>\n",
    "<|begin_of_text|>a<|eot_id|>", "[INST] hi [/INST]", "<|im_start|", "<|endoftext|><|endoftext|>", "< s>", "<S>",
    "a zebra and a zebras, mañana mañanas", "  <s>  x  </s>  ", "".join(SPECIALS), " ".join(SPECIALS),
]


def texts():
    """The hard ones, and random strings of hard parts."""
    draw = random.Random(20240304)
    parts = (SPECIALS + list(" \n\t.,'-aAeEtT019éñ가나ßΩж灯の🙂") + ["  ", "\r\n", "e\u0301", "\u00a0", "\u2581", "\u200d", "'ll",
             " the", "ing", "12", "\u1100\u1161", "\u180e", "🇰🇷", "ship", " lighthouse", "\x00", "\u0085", "\U0010ffff"])
    return HARD + ["".join(draw.choice(parts) for _ in range(draw.randint(2, 30))) for _ in range(150)]


TEXTS = texts()


def byte_level(pre, specials, normalizer=None, ignore_merges=False, vocab_size=420):
    """A byte-level BPE tokenizer; special tokens first, as SmolLM has them."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True), trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=specials, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def split(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(tokenizers.Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def llama3():
    tokenizer = byte_level(split(LLAMA3), ["<|begin_of_text|>", "<|eot_id|>"])
    # Tokens that no merge makes: only ignore_merges finds them.
    spec = json.loads(tokenizer.to_str())
    spec["model"]["ignore_merges"] = True
    for text in ["Ġzebra", "ĠmaÃ±ana"]:
        spec["model"]["vocab"][text] = len(spec["model"]["vocab"])
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                                      special_tokens=[("<|begin_of_text|>", 0)])])
    return tokenizer


def qwen2():
    return byte_level(split(QWEN2), ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], normalizers.NFC())


def tekken():
    return byte_level(split(TEKKEN), ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"], ignore_merges=True)


def smollm():
    return byte_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False)]),
                      ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])


def added():
    """Added tokens of every kind of flag, in a tokenizer that normalizes."""
    tokenizer = byte_level(split(QWEN2), ["<|endoftext|>"], normalizers.NFC())
    tokenizer.add_special_tokens([AddedToken("<|im_end|>", lstrip=True), AddedToken("<s>", rstrip=True),
                                  AddedToken("</s>", lstrip=True, rstrip=True)])
    tokenizer.add_tokens([AddedToken("ship", single_word=True), AddedToken("e\u0301", normalized=True),
                          AddedToken("  ", normalized=False), AddedToken("lighthouse", normalized=True),
                          AddedToken("<s>the", normalized=False)])
    return tokenizer


def sentence_piece(folder):
    """A LLaMA-2 style vocabulary: BPE with byte fallback, digits apart, text as it is."""
    with tempfile.TemporaryDirectory() as scratch:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS.splitlines()), model_prefix=scratch + "/t", model_type="bpe", vocab_size=520,
            character_coverage=0.98, byte_fallback=True, split_digits=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, num_threads=1, minloglevel=2)
        shutil.copy(scratch + "/t.model", folder / "tokenizer.model")


def vectors(tokenizer):
    """Ids with and without special tokens, and what the ids decode to."""
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    tokenizer.encode_special_tokens = False
    ids = [encode(text) for text in TEXTS]
    decoded = [tokenizer.decode(each, skip_special_tokens=False) for each in ids]
    tokenizer.encode_special_tokens = True
    return {"made_with": f"tokenizers {tokenizers.__version__}", "ids": ids, "ids_plain": [encode(text) for text in TEXTS],
            "decoded": decoded}


def library_vectors(folder):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    return {"made_with": f"sentencepiece {sentencepiece.__version__}",
            "ids_plain": [processor.encode(text) for text in TEXTS],
            "decoded": [processor.decode(processor.encode(text)) for text in TEXTS]}


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("]],", "]],\n") + "\n")


def write_gguf(path, model, pre, tokens, types, scores=None, merges=None, bos=None):
    """A GGUF file that holds a tokenizer and no tensors; what else is in it makes llama.cpp read it."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(64), writer.add_embedding_length(8), writer.add_block_count(1)
    writer.add_feed_forward_length(8), writer.add_head_count(1), writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model(model), writer.add_token_list(tokens), writer.add_token_types(types)
    if pre:
        writer.add_tokenizer_pre(pre)
    if scores:
        writer.add_token_scores(scores)
    if merges:
        writer.add_token_merges(merges)
    if bos is not None:
        writer.add_bos_token_id(bos)
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()


def gguf_vectors(path):
    model = llama_cpp.Llama(model_path=str(path), vocab_only=True, verbose=False)
    encode = lambda text, special: model.tokenize(text.encode(), add_bos=False, special=special)
    return {"made_with": f"llama-cpp-python {llama_cpp.__version__}", "ids": [encode(text, True) for text in TEXTS],
            "ids_plain": [encode(text, False) for text in TEXTS]}


def byte_level_gguf(folder, pre):
    spec = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = {text: i for text, i in spec["model"]["vocab"].items()}
    special = {token["content"] for token in spec["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.get)
    merges = [" ".join(merge) for merge in spec["model"]["merges"]]
    write_gguf(folder / "tokenizer.gguf", "gpt2", pre, tokens, [3 if token in special else 1 for token in tokens],
               merges=merges, bos=0)
    write(folder / "gguf_vectors.json", gguf_vectors(folder / "tokenizer.gguf"))


def sentence_piece_gguf(folder):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    ids = range(processor.vocab_size())
    kind = lambda i: (2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 1)
    write_gguf(folder / "tokenizer.gguf", "llama", None, [processor.id_to_piece(i) for i in ids], [kind(i) for i in ids],
               scores=[processor.get_score(i) for i in ids], bos=1)
    write(folder / "gguf_vectors.json", gguf_vectors(folder / "tokenizer.gguf"))


def main():
    write(HERE / "texts.json", TEXTS)
    for make, pre in [(llama3, "llama-bpe"), (qwen2, "qwen2"), (tekken, "tekken"), (smollm, "smollm"), (added, None)]:
        folder = HERE / make.__name__
        folder.mkdir(exist_ok=True)
        tokenizer = make()
        spec = json.loads(tokenizer.to_str())
        write(folder / "tokenizer.json", spec)
        write(folder / "vectors.json", vectors(Tokenizer.from_file(str(folder / "tokenizer.json"))))
        if pre:
            byte_level_gguf(folder, pre)
    for name, legacy in [("llama2", True), ("llama2_metaspace", False)]:
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        sentence_piece(folder)
        fast = LlamaTokenizerFast(vocab_file=str(folder / "tokenizer.model"), legacy=legacy, add_prefix_space=True)
        write(folder / "tokenizer.json", json.loads(fast.backend_tokenizer.to_str()))
        write(folder / "tokenizer_config.json", {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "add_bos_token": True})
        write(folder / "vectors.json", vectors(Tokenizer.from_file(str(folder / "tokenizer.json"))))
    (HERE / "llama2_metaspace" / "tokenizer.model").unlink()
    folder = HERE / "sentencepiece"
    folder.mkdir(exist_ok=True)
    (HERE / "llama2" / "tokenizer.model").rename(folder / "tokenizer.model")
    write(folder / "vectors.json", library_vectors(folder))
    sentence_piece_gguf(folder)


main()
