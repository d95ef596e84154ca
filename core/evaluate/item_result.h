#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/evaluate/prefix_run.h"

namespace qaq {

/// Sizes and errors of a quantized prefix, under the authors' names (section 2.7).
struct CacheFigures {
  double key_quantization_error = 0;
  double value_quantization_error = 0;
  double key_average_n_bits = 0;
  double value_average_n_bits = 0;
  double key_average_size = 0;  ///< bits a token, nominal
  double value_average_size = 0;
  /// Sizes as shares of 16 bits a value: what ratio_paper, ratio_nominal and ratio_packed are the
  /// inverse of.
  double share_paper = 0;
  double share_nominal = 0;
  double share_packed = 0;
  double key_packed_bytes_per_token = 0;
  double value_packed_bytes_per_token = 0;
  double kept_share = 0;  ///< of the prefix's keys, those that are not evicted; of values the same

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("key_quantization_error", self.key_quantization_error);
    v("value_quantization_error", self.value_quantization_error);
    v("key_average_n_bits", self.key_average_n_bits);
    v("value_average_n_bits", self.value_average_n_bits);
    v("key_average_size", self.key_average_size);
    v("value_average_size", self.value_average_size);
    v("share_paper", self.share_paper);
    v("share_nominal", self.share_nominal);
    v("share_packed", self.share_packed);
    v("key_packed_bytes_per_token", self.key_packed_bytes_per_token);
    v("value_packed_bytes_per_token", self.value_packed_bytes_per_token);
    v("kept_share", self.kept_share);
  }
};

CacheFigures cache_figures(const ReplayResult& cache);

/// The choices of one question under one cache.
struct ChoiceScores {
  std::vector<double> log_probability;  ///< by choice, normalized as asked
  std::int32_t best() const;            ///< the first strict maximum; -1 without choices
};

/// What one setting did to an item.
struct SettingResult {
  CacheFigures cache;
  /// Mean over layers, heads, rows behind the prefix and its columns; NaN where not measured.
  double attention_error = 0;
  double logit_error = 0;  ///< mean over positions and vocabulary; NaN without positions
  double max_abs_logit_change = 0;
  std::vector<double> kl;  ///< by position behind the prefix, nat
  std::vector<std::uint8_t> same_top;
  std::vector<double> nll;  ///< of the next token where it is known, else NaN
  ChoiceScores choices;
  RunSeconds seconds;
};

/// One question, or one window of a text, run with the whole cache and by every setting. A value:
/// what a resumed evaluation reads back gives the same sums.
struct ItemResult {
  std::string id;
  std::int64_t n_prefix = 0;       ///< tokens whose cache was quantized
  std::int32_t answer = -1;        ///< right choice; -1: no question
  bool boundary_mismatch = false;  ///< a choice's first tokens are not the question's
  std::vector<double> margin;      ///< reference margin by position
  std::vector<double> nll;         ///< of the reference, as above
  ChoiceScores choices;            ///< of the reference
  RunSeconds seconds;              ///< of the reference
  std::vector<SettingResult> settings;
};

/// One line of a file of finished items, and back. Throws Error{input} without a place where it is
/// no such line, or none of `n_settings` settings.
nlohmann::ordered_json item_json(const ItemResult& item);
ItemResult item_from_json(const nlohmann::ordered_json& json, std::size_t n_settings);

/// Adds positions and errors of tails to what an item holds. Sums over several tails of one item
/// (its choices) become means only when finish() is asked for.
class ItemBuilder {
 public:
  ItemBuilder(PrefixRun& run, std::string id);

  /// Takes over the run's present prefix; several are averaged.
  void add_cache();
  void add_tail(const std::vector<TailScores>& scores);
  ItemResult& item() { return item_; }
  /// At least one cache has to be added before.
  ItemResult finish();

 private:
  PrefixRun& run_;
  ItemResult item_;
  std::int64_t n_caches_ = 0;
  std::int64_t n_prefix_ = 0;
  std::vector<double> attention_squares_, logit_squares_;
  std::int64_t n_attention_ = 0, n_positions_ = 0;
};

}  // namespace qaq
