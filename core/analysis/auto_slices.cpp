#include "core/analysis/auto_slices.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <string_view>

#include "core/analysis/row_table.h"
#include "core/base/text.h"

namespace qaq {
namespace {

std::vector<double> attention_taken(const CaptureView& capture, const Work& work) {
  const CaptureInfo& info = capture.info();
  const std::int64_t n_rows = std::min(info.n_query_rows(), TokenTraits::kRecentRows);
  if (info.profile == AttentionProfile::none || n_rows == 0) return {};
  std::vector<double> sum(static_cast<std::size_t>(info.n_tokens));
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    work.throw_if_stopped();
    const auto scores = capture.attention(layer, info.n_query_rows() - n_rows, n_rows);
    for (std::int64_t head = 0; head < scores->shape(0); ++head) {
      for (std::int64_t row = 0; row < n_rows; ++row) {
        const auto line = scores->sub(head, row).span();
        for (std::size_t token = 0; token < sum.size(); ++token) sum[token] += double{line[token]};
      }
    }
  }
  const auto n = static_cast<double>(info.n_captured_layers() * info.shape.n_heads * n_rows);
  for (double& x : sum) x /= n;
  return sum;
}

// Adds to `reach` what one layer's keys or values, (n_kv_heads, T, D), have.
void add_reach(const NdArray<float, 3>& cache, std::vector<double>& reach) {
  std::vector<float> peak(reach.size()), sorted;
  for (std::int64_t head = 0; head < cache.shape(0); ++head) {
    for (std::size_t token = 0; token < peak.size(); ++token) {
      float most = 0;
      for (const float x : cache.sub(head, static_cast<std::int64_t>(token)).span()) {
        most = std::max(most, std::abs(x));
      }
      peak[token] = most;
    }
    sorted = peak;
    const auto middle = sorted.begin() + std::ssize(sorted) / 2;
    std::nth_element(sorted.begin(), middle, sorted.end());
    if (!(*middle > 0)) continue;
    for (std::size_t token = 0; token < peak.size(); ++token) {
      reach[token] += double{peak[token]} / double{*middle};
    }
  }
}

std::vector<double> reaches(const CaptureView& capture, const Work& work) {
  const CaptureInfo& info = capture.info();
  const auto n_tokens = static_cast<std::size_t>(info.n_tokens);
  std::vector<double> key(n_tokens), value(n_tokens);
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    work.throw_if_stopped();
    add_reach(*capture.key(layer), key);
    add_reach(*capture.value(layer), value);
  }
  const auto n = static_cast<double>(info.n_captured_layers() * info.shape.n_kv_heads);
  for (std::size_t token = 0; token < n_tokens; ++token) {
    key[token] = std::max(key[token], value[token]) / n;
  }
  return key;
}

// ASCII punctuation and U+2000..U+206F, but for spaces.
bool is_punctuation(std::string_view text) {
  bool any = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == ' ') continue;
    const bool general = byte == 0xE2 && i + 2 < text.size() &&
                         (static_cast<unsigned char>(text[i + 1]) == 0x80 ||
                          (static_cast<unsigned char>(text[i + 1]) == 0x81 &&
                           static_cast<unsigned char>(text[i + 2]) < 0xB0));
    if (general) {
      i += 2;
    } else if (byte >= 0x80 || std::ispunct(byte) == 0) {
      return false;
    }
    any = true;
  }
  return any;
}

}  // namespace

TokenTraits token_traits(const CaptureView& capture, const Work& work) {
  return {.attention = attention_taken(capture, work), .reach = reaches(capture, work)};
}

std::vector<NamedSlice> auto_slices(const AutoSliceInputs& inputs) {
  const CaptureInfo& info = *inputs.info;
  const TokenTraits& traits = *inputs.traits;
  const SelectionShape shape{.n_layers = static_cast<std::int32_t>(info.n_captured_layers()),
                             .n_kv_heads = static_cast<std::int32_t>(info.shape.n_kv_heads),
                             .n_tokens = static_cast<std::int32_t>(info.n_tokens)};
  std::vector<NamedSlice> out;
  const auto add = [&](const char* name, const std::vector<std::int32_t>& tokens,
                       std::string help) {
    if (tokens.empty()) return;
    out.push_back({.name = name,
                   .cells = SelectionSet::of_tokens(shape, tokens),
                   .automatic = true,
                   .help = std::move(help)});
  };
  const auto where = [&](const auto& holds) {
    std::vector<std::int32_t> tokens;
    for (std::int32_t token = 0; token < shape.n_tokens; ++token) {
      if (holds(static_cast<std::size_t>(token))) tokens.push_back(token);
    }
    return tokens;
  };

  if (!traits.attention.empty()) {
    const double most = *std::max_element(traits.attention.begin(), traits.attention.end());
    add("sinks", where([&](std::size_t t) {
          return traits.attention[t] >= kSinkShare || (t == 0 && traits.attention[0] >= most);
        }),
        cat("take at least ", short_text(100 * kSinkShare), " % of the attention of the newest ",
            std::min(info.n_query_rows(), TokenTraits::kRecentRows),
            " captured rows, mean of all layers and query heads; token 0 also where it takes "
            "most"));
  }
  if (inputs.violations != nullptr) {
    std::vector<bool> jumped(static_cast<std::size_t>(shape.n_tokens));
    for (const Violation& one : inputs.violations->violations) {
      jumped[static_cast<std::size_t>(one.token)] = true;
    }
    add("violations", where([&](std::size_t t) { return jumped[t]; }),
        cat("importance jumped above ", short_text(inputs.violation_ratio),
            " times the window's maximum, at any step, in any layer and query head"));
  }
  add("newest", where([&](std::size_t t) {
        const auto token = static_cast<std::int64_t>(t);
        return token < inputs.prefix && token >= inputs.prefix - inputs.forced;
      }),
      "get n_bits_max by rule, for their importance is not known yet");
  add("outlier tokens", where([&](std::size_t t) { return traits.reach[t] >= kOutlierReach; }),
      cat("largest |x| at least ", short_text(kOutlierReach),
          " times that of the median token, mean of all layers and KV heads, in keys or values"));
  add("punctuation", where([&](std::size_t t) { return is_punctuation(info.token_text[t]); }),
      "signs of punctuation alone");
  return out;
}

}  // namespace qaq
