#include "data/tokenizers/split_step.h"

namespace qaq {
namespace {

struct Stretch {
  std::size_t begin;
  std::size_t end;
  bool match;
};

// The whole piece as matches and what lies between them, in order.
std::vector<Stretch> stretches_of(const Regex& regex, std::string_view piece, bool invert) {
  std::vector<Stretch> all;
  std::size_t done = 0;
  regex.for_each_match(piece, [&](std::size_t begin, std::size_t end) {
    if (begin > done) all.push_back({done, begin, invert});
    all.push_back({begin, end, !invert});
    done = end;
  });
  if (done < piece.size()) all.push_back({done, piece.size(), invert});
  return all;
}

// Whether a stretch is one word with the one before it.
bool joins(SplitBehavior behavior, const Stretch& before, const Stretch& stretch) {
  switch (behavior) {
    case SplitBehavior::merged_with_previous:
      return stretch.match && !before.match;
    case SplitBehavior::merged_with_next:
      return before.match && !stretch.match;
    case SplitBehavior::contiguous:
      return before.match == stretch.match;
    case SplitBehavior::isolated:
    case SplitBehavior::removed:
      break;
  }
  return false;
}

}  // namespace

void SplitStep::apply(std::string_view piece, bool, std::vector<std::string>& out) const {
  std::vector<Stretch> all = stretches_of(regex_, piece, invert_);
  if (behavior_ == SplitBehavior::removed)
    std::erase_if(all, [](auto& each) { return each.match; });
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string_view text = piece.substr(all[i].begin, all[i].end - all[i].begin);
    if (i > 0 && joins(behavior_, all[i - 1], all[i])) {
      out.back() += text;
    } else {
      out.emplace_back(text);
    }
  }
}

}  // namespace qaq
