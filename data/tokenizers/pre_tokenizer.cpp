#include "data/tokenizers/pre_tokenizer.h"

#include <map>

#include "core/base/text.h"

namespace qaq {
namespace {

// PCRE2's \s takes U+180E for a space, which Unicode (since 6.3) and the tokenizers that models are
// trained with do not; so the property White_Space is written out, to stand within [].
constexpr const char* kSpaces =
    R"(\x{9}-\x{d} \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

// English endings; a word, a number or other signs, each with the space before it; the spaces
// before the last one of a run; spaces at the end.
std::string gpt2_pattern() {
  return cat(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{L}\p{N})", kSpaces, "]+|[",
             kSpaces, "]+(?![^", kSpaces, "])|[", kSpaces, "]+");
}

struct Split {
  const char* name;
  std::vector<std::string> patterns;
};

// To add one: its name in GGUF and the expressions that split the text, one after the other; each
// match is a piece, and so is what lies between two matches. Take them from the tokenizer.json of
// the model itself (`pre_tokenizer`) and add reference words of that tokenizer to the test.
const std::vector<Split>& splits() {
  static const std::vector<Split> all{
      {"gpt-2", {gpt2_pattern()}},
      {"smollm", {R"(\p{N})", gpt2_pattern()}},
  };
  return all;
}

}  // namespace

PreTokenizer::PreTokenizer(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) stages_.emplace_back(pattern);
}

std::vector<std::string> PreTokenizer::names() {
  std::vector<std::string> out;
  for (const Split& split : splits()) out.emplace_back(split.name);
  return out;
}

const PreTokenizer* PreTokenizer::find(std::string_view name) {
  static const std::map<std::string, PreTokenizer, std::less<>> compiled = [] {
    std::map<std::string, PreTokenizer, std::less<>> out;
    for (const Split& split : splits()) out.emplace(split.name, PreTokenizer(split.patterns));
    return out;
  }();
  const auto at = compiled.find(name);
  return at == compiled.end() ? nullptr : &at->second;
}

std::vector<std::string_view> PreTokenizer::split(std::string_view text) const {
  std::vector<std::string_view> pieces;
  if (!text.empty()) pieces.push_back(text);
  for (const Regex& stage : stages_) {
    std::vector<std::string_view> finer;
    for (const std::string_view piece : pieces) {
      std::size_t done = 0;
      stage.for_each_match(piece, [&](std::size_t begin, std::size_t end) {
        if (begin > done) finer.push_back(piece.substr(done, begin - done));
        finer.push_back(piece.substr(begin, end - begin));
        done = end;
      });
      if (done < piece.size()) finer.push_back(piece.substr(done));
    }
    pieces = std::move(finer);
  }
  return pieces;
}

}  // namespace qaq
