#include "data/tokenizers/gguf_pre_tokenizers.h"

#include "data/tokenizers/regex_dialect.h"
#include "data/tokenizers/split_step.h"

namespace qaq {

// English endings; a word, a number or other signs, each with the space before it; the spaces
// before the last one of a run; spaces at the end.
const char* const kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

// Words take one sign before them, digits go in groups of three, line ends go with signs.
constexpr const char* kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// The same with single digits.
constexpr const char* kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Words end where a capital letter follows a small one; marks belong to letters.
constexpr const char* kTekkenPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Known {
  const char* name;
  std::vector<const char*> patterns;
  bool ignore_merges;
  bool adds_beginning;
};

// To add one: its name in GGUF and the expressions that split the text, one after the other; each
// match is a piece, and so is what lies between two matches. Take them from the tokenizer.json of
// the model itself (`pre_tokenizer`, `ignore_merges`, `post_processor`) and add reference words of
// that tokenizer to the test.
const std::vector<Known>& known() {
  static const std::vector<Known> all{
      {"gpt-2", {kGpt2Pattern}, false, false},
      {"llama-bpe", {kLlama3Pattern}, true, true},
      {"qwen2", {kQwen2Pattern}, false, false},
      {"smollm", {R"(\p{N})", kGpt2Pattern}, false, false},
      {"tekken", {kTekkenPattern}, true, true},
  };
  return all;
}

}  // namespace

std::vector<std::string> gguf_pre_tokenizer_names() {
  std::vector<std::string> out;
  for (const Known& each : known()) out.emplace_back(each.name);
  return out;
}

std::optional<GgufPreTokenizer> find_gguf_pre_tokenizer(std::string_view name) {
  for (const Known& each : known()) {
    if (each.name != name) continue;
    std::vector<std::unique_ptr<const PreTokenizerStep>> steps;
    for (const char* pattern : each.patterns) {
      steps.push_back(std::make_unique<SplitStep>(Regex(pcre2_pattern(pattern))));
    }
    return GgufPreTokenizer{PreTokenizer(std::move(steps)), each.ignore_merges,
                            each.adds_beginning};
  }
  return std::nullopt;
}

}  // namespace qaq
