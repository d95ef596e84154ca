#include "data/tokenizers/pre_tokenizer.h"

namespace qaq {

std::vector<std::string> PreTokenizer::split(std::string_view text, bool at_beginning) const {
  std::vector<std::string> pieces;
  if (!text.empty()) pieces.emplace_back(text);
  for (const auto& step : steps_) {
    std::vector<std::string> finer;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      step->apply(pieces[i], at_beginning && i == 0, finer);
    }
    pieces = std::move(finer);
  }
  return pieces;
}

}  // namespace qaq
