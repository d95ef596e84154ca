#include "data/tokenizers/bpe_merges.h"

#include <gtest/gtest.h>
#include <random>

namespace qaq {
namespace {

using Ids = std::vector<std::int32_t>;

TEST(BpeMerges, TheEarliestRuleGoesFirst) {
  BpeMerges merges;
  merges.add(1, 2, 10);  // "12" before "01"
  merges.add(0, 1, 11);
  EXPECT_EQ(merges.apply({0, 1, 2}), (Ids{0, 10}));
  EXPECT_EQ(merges.apply({0, 1, 0}), (Ids{11, 0}));
}

TEST(BpeMerges, OfEqualRulesTheLeftmostGoesFirst) {
  BpeMerges merges;
  merges.add(1, 1, 10);
  EXPECT_EQ(merges.apply({1, 1, 1}), (Ids{10, 1}));
  EXPECT_EQ(merges.apply({1, 1, 1, 1}), (Ids{10, 10}));
}

TEST(BpeMerges, MergedSymbolsMergeAgain) {
  BpeMerges merges;
  merges.add(1, 2, 10);
  merges.add(10, 3, 11);
  merges.add(11, 11, 12);
  EXPECT_EQ(merges.apply({1, 2, 3, 1, 2, 3}), (Ids{12}));
}

TEST(BpeMerges, APairThatHasARuleKeepsIt) {
  BpeMerges merges;
  merges.add(1, 2, 10);
  merges.add(1, 2, 11);
  EXPECT_EQ(merges.apply({1, 2}), (Ids{10}));
}

TEST(BpeMerges, BytesWithoutTokenMergeWithNothing) {
  BpeMerges merges;
  merges.add(1, 1, 10);
  EXPECT_EQ(merges.apply({1, -1, 1, 1}), (Ids{1, -1, 10}));
  EXPECT_EQ(merges.apply({}), Ids{});
  EXPECT_EQ(merges.apply({-1}), Ids{-1});
}

// The definition, read word for word: look for the best pair in the whole list, merge it, repeat.
Ids merge_by_definition(Ids symbols, const std::vector<std::array<std::int32_t, 3>>& rules) {
  while (true) {
    bool merged = false;
    for (const auto& [left, right, result] : rules) {
      for (std::size_t i = 0; !merged && i + 1 < symbols.size(); ++i) {
        if (symbols[i] != left || symbols[i + 1] != right) continue;
        symbols[i] = result;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        merged = true;
      }
      if (merged) break;
    }
    if (!merged) return symbols;
  }
}

TEST(BpeMerges, GivesWhatTheDefinitionGivesOnRandomRules) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::int32_t n) {
      return static_cast<std::int32_t>(random() % static_cast<unsigned>(n));
    };
    BpeMerges merges;
    std::vector<std::array<std::int32_t, 3>> rules;
    std::int32_t n_tokens = 3;
    for (int i = 0; i < 12; ++i) {
      const std::int32_t left = below(n_tokens), right = below(n_tokens);
      bool known = false;
      for (const auto& rule : rules) known |= rule[0] == left && rule[1] == right;
      if (known) continue;
      rules.push_back({left, right, n_tokens});
      merges.add(left, right, n_tokens++);
    }
    Ids symbols;
    for (int i = 0; i < 60; ++i) symbols.push_back(below(3));
    EXPECT_EQ(merges.apply(symbols), merge_by_definition(symbols, rules)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace qaq
