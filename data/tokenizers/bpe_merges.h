#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace qaq {

/// Merge rules of byte-pair encoding: which neighbours become one token, and which first.
class BpeMerges {
 public:
  /// Adds the next rule; earlier rules go first. A pair that has a rule keeps it.
  void add(std::int32_t left, std::int32_t right, std::int32_t merged);

  /// Merges neighbours until no rule applies: always the pair of the earliest rule, the leftmost of
  /// those. Ids below 0 stand for bytes that are no token and merge with nothing.
  /// O(n log n) in the number of symbols.
  std::vector<std::int32_t> apply(const std::vector<std::int32_t>& symbols) const;

 private:
  struct Rule {
    std::int32_t rank;
    std::int32_t merged;
  };
  const Rule* find(std::int32_t left, std::int32_t right) const;

  std::unordered_map<std::uint64_t, Rule> rules_;
};

}  // namespace qaq
