#include "data/tokenizers/metaspace_step.h"

namespace qaq {

void PrefixSpaceStep::apply(std::string_view piece, bool, std::vector<std::string>& out) const {
  out.push_back((piece.starts_with(' ') ? "" : " ") + std::string(piece));
}

void MetaspaceStep::apply(std::string_view piece, bool at_beginning,
                          std::vector<std::string>& out) const {
  std::string text;
  for (const char c : piece) {
    if (c == ' ') {
      text += replacement_;
    } else {
      text += c;
    }
  }
  const bool wants_prefix =
      prefix_ == PrefixScheme::always || (prefix_ == PrefixScheme::first && at_beginning);
  if (wants_prefix && !text.starts_with(replacement_)) text.insert(0, replacement_);
  std::string_view rest = text;
  while (split_) {
    const std::size_t cut = rest.find(replacement_, 1);
    if (cut == std::string_view::npos) break;
    out.emplace_back(rest.substr(0, cut));
    rest.remove_prefix(cut);
  }
  out.emplace_back(rest);
}

}  // namespace qaq
