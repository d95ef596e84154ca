#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parameters.h"
#include "core/base/progress.h"
#include "core/evaluate/item_result.h"
#include "core/evaluate/prefix_run.h"

namespace qaq {

/// Which pass scores a choice's first token.
enum class FirstToken {
  full,      ///< the unquantized one, as in the authors' code: a choice of one token cannot change
  quantized  ///< the question's last token, run on the quantized cache of those before it
};
template <>
struct ChoiceNames<FirstToken> {
  static constexpr std::array<std::string_view, 2> names{"full", "quantized"};
};

/// What a choice's log-probability is divided by: its tokens (the authors), the UTF-8 bytes of its
/// text without the space before it, or nothing.
enum class LengthNorm { tokens, bytes, none };
template <>
struct ChoiceNames<LengthNorm> {
  static constexpr std::array<std::string_view, 3> names{"tokens", "bytes", "none"};
};

struct ChoiceOptions {
  FirstToken first_token = FirstToken::full;
  LengthNorm length_norm = LengthNorm::tokens;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "first_token",
                    .help =
                        "The pass that scores a choice's first token: the whole cache's, as the "
                        "authors do, or the quantized"},
      self.first_token);
    v(ParameterInfo{.name = "length_norm", .help = "What a choice's log-probability is divided by"},
      self.length_norm);
  }
};

/// A question as tokens, without a beginning token.
struct ChoiceQuestion {
  std::string id;
  std::vector<std::int32_t> question;              ///< of the question alone: L tokens, L >= 1
  std::vector<std::vector<std::int32_t>> choices;  ///< of question + " " + choice, more than L each
  std::vector<std::int64_t> n_bytes;               ///< of each choice's text
  std::int32_t answer = 0;

  std::int64_t longest() const;
};

/// Scores a question as the authors do (section 10 of the mathematics): per choice c of n_c tokens
/// behind the first L,
///
///   logprob(c) = [ln p_full(c_0 | position L-1) + sum_i ln p_quantized(c_i | position L+i-1)] /
///   n_c
///
/// choices one by one, the question's cache quantized once. A choice whose first L tokens are not
/// the question's has a prefix, and a plan, of its own, as in the authors' batch.
ItemResult score_question(PrefixRun& run, const ChoiceQuestion& question,
                          const ChoiceOptions& options, const Work& work);

}  // namespace qaq
